"""The way to the object store and the catalog goes bad for a while, and good again."""

import contextlib
import time

from testbed.rest_catalog import RestCatalogServer
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
    """(options for a Trial, proxies): object store and catalog in processes of their own, each behind
    toxiproxy. The readers go the straight way."""
    s3 = S3Server(directory / "s3")
    rest = RestCatalogServer(directory / "rest", s3.settings["catalog.warehouse"], s3.objects)
    toxiproxy = Toxiproxy(directory)
    try:
        to_s3 = toxiproxy.add("s3", s3.endpoint)
        to_catalog = toxiproxy.add("catalog", f"127.0.0.1:{rest.port}")
        settings = {**s3.settings, **rest.settings,
                    "object_store.endpoint": f"http://{to_s3.address}",
                    "catalog.uri": f"http://{to_catalog.address}"}
        options = {"settings": settings, "pause": 0.3,
                   "open_catalog": lambda: rest.pyiceberg(**s3.pyiceberg)}
        yield options, [to_s3, to_catalog]
    finally:
        toxiproxy.stop()
        rest.kill()
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
