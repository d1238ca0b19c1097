"""The way to the object store and the catalog goes bad for a while, and good again."""

import contextlib
import time

from testbed.s3 import S3Server
from testbed.toxiproxy import Toxiproxy

SHORT_CUT, LONG_CUT = 3, 60  # seconds; the long one is for runs by hand


def _reset(proxy, rng):
    proxy.poison("reset_peer", timeout=rng.randrange(50), toxicity=rng.uniform(0.2, 1))


def _black_hole(proxy, rng):
    proxy.poison("timeout", timeout=0, toxicity=rng.uniform(0.2, 1),
                 stream=rng.choice(("upstream", "downstream")))


def _latency(proxy, rng):
    proxy.poison("latency", latency=rng.randrange(20, 400), jitter=20)


def _cut_in_the_middle(proxy, rng):
    proxy.poison("limit_data", bytes=rng.randrange(1, 20_000), toxicity=rng.uniform(0.3, 1),
                 stream=rng.choice(("upstream", "downstream")))


def _narrow(proxy, rng):
    proxy.poison("bandwidth", rate=rng.randrange(5, 200))


def _cut(proxy, _):
    proxy.cut()


TOXICS = (_reset, _black_hole, _latency, _cut_in_the_middle, _narrow, _cut)


@contextlib.contextmanager
def bad_ways(directory):
    """(settings, PyIceberg properties, proxies) of stores behind toxiproxy, for a Trial."""
    s3 = S3Server(directory / "s3")
    toxiproxy = Toxiproxy(directory)
    try:
        proxy = toxiproxy.add("s3", s3.endpoint)
        settings = {**s3.settings, "object_store.endpoint": f"http://{proxy.address}"}
        yield settings, s3.pyiceberg, [proxy]
    finally:
        toxiproxy.stop()
        s3.stop()


def toxic_cycles(trial, proxies, cycles, cut_seconds, say=lambda text: None):
    """Each cycle makes one way bad and good again; every third also kills the server meanwhile.

    Each kind of toxic comes once before any comes again; the last cycle cuts for `cut_seconds`.
    """
    rng, kinds = trial.rng, []
    for cycle in range(1, cycles + 1):
        kinds = kinds or rng.sample(TOXICS, len(TOXICS))
        last = cycle == cycles
        toxic, proxy = (_cut if last else kinds.pop()), rng.choice(proxies)
        trial.wait_for_acks("OBJECT_STORAGE", 1, 10)
        toxic(proxy, rng)
        trial.wait_for_acks("COMMITTED", 10**9, cut_seconds if last else rng.uniform(0.2, 1.5))
        killed = not last and rng.random() < 0.34
        if killed:
            trial.kill()
        proxy.heal()
        if killed:
            trial.restart()
        trial.history.raise_violations()
        say(f"cycle {cycle}/{cycles}: {toxic.__name__[1:]} on {proxy.name}"
            f"{', killed' if killed else ''}, {trial.history.sends} writes, {trial.history.acks} acks")
    began = time.monotonic()
    trial.wait_for_acks("COMMITTED", 1, 30)
    say(f"commits go on {time.monotonic() - began:.1f} s after the last")
