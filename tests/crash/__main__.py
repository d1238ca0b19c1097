"""`./dev crash`: the crash harness by hand, as long as wanted.

A long run is made of rounds of at most --round cycles, each over a fresh data directory with the
seed SEED, SEED + 1, …, and checked as a whole at its end; so a round that fails is run again alone.
"""

import argparse
import collections
import pathlib
import shutil
import sys
import time

from crash import clock_jumps, full_disk, kill_points, kills, toxics
from crash.shim import Shim
from crash.trial import Trial
from testbed.server import ROOT
from testbed.small_disk import small_disk

SCENARIOS = {}


def scenario(name):
    def register(function):
        SCENARIOS[name] = function
        return function
    return register


@scenario("kills")
def run_kills(directory, seed, cycles, say):
    """kill -9 at random moments"""
    with Trial(directory, seed) as trial:
        trial.start()
        kills.kill_cycles(trial, cycles, say)
        return trial.finish()


@scenario("kill-points")
def run_kill_points(directory, seed, cycles, say):
    """death at every step of log, upload and commit; a cycle dies at each of them once"""
    figures = collections.Counter()
    for points_of, times in ((kill_points.creation_points, 1),
                             (kill_points.all_other_points, cycles)):
        with Trial(directory / points_of.__name__ / "data", seed, pause=0.3) as trial:
            trial.start(server_too=False)
            for _ in range(times):
                kill_points.die_everywhere(trial, points_of(trial.rng), say)
            trial.restart()
            figures.update(trial.finish())
    return figures


@scenario("toxics")
def run_toxics(directory, seed, cycles, say):
    """a network to the object store and the catalog that resets, stalls and is cut for a minute"""
    with toxics.bad_ways(directory.parent) as (options, proxies), \
            Trial(directory, seed, **options) as trial:
        trial.start()
        toxics.toxic_cycles(trial, proxies, cycles, toxics.LONG_CUT, say)
        return trial.finish()


@scenario("full-disk")
def run_full_disk(directory, seed, cycles, say):
    """a small ext4 file system that fills up and is freed"""
    megabytes = full_disk.MEGABYTES + 40 * cycles  # the tables' own data grow, too
    with small_disk(directory, megabytes, "ext4") as disk, \
            Trial(disk.path / "data", seed, settings=full_disk.SETTINGS, pause=0.3) as trial:
        trial.start()
        full_disk.full_cycles(trial, disk, cycles, say)
        return trial.finish()


@scenario("clock-jumps")
def run_clock_jumps(directory, seed, cycles, say):
    """a wall clock that jumps, also between a kill and a restart"""
    shim = Shim(directory.parent)
    with Trial(directory, seed, env=shim.environment, pause=0.3) as trial:
        trial.start()
        clock_jumps.jump_cycles(trial, shim, cycles, say)
        return trial.finish()


def parse():
    parser = argparse.ArgumentParser(prog="./dev crash", description=__doc__.split("\n\n")[0])
    parser.add_argument("--cycles", type=int, default=20, help="crashes in all (default 20)")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000,
                        help="the first round's seed (default: from the clock; it is printed)")
    parser.add_argument("--with", dest="scenario", choices=SCENARIOS, default="kills",
                        help="; ".join(f"{n}: {f.__doc__}" for n, f in SCENARIOS.items()))
    parser.add_argument("--round", type=int, default=40, help="cycles on one data directory (40)")
    parser.add_argument("--dir", type=pathlib.Path, default=ROOT / "build/crash",
                        help="where the data directories lie (default build/crash)")
    return parser.parse_args()


def main():
    arguments = parse()
    total, done, seed, began = collections.Counter(), 0, arguments.seed, time.monotonic()
    print(f"seed {seed}, {arguments.cycles} cycles with {arguments.scenario}", flush=True)
    while done < arguments.cycles:
        cycles = min(arguments.round, arguments.cycles - done)
        directory = arguments.dir.resolve() / f"{arguments.scenario}-{seed}"
        shutil.rmtree(directory, ignore_errors=True)
        try:
            figures = SCENARIOS[arguments.scenario](
                directory / "data", seed, cycles, lambda text: print(f"  {text}", flush=True))
        except Exception as error:  # pylint: disable=broad-except
            print(f"FAILED with seed {seed}: {error}\nthe data directory is kept: {directory}\n"
                  f"again: ./dev crash --with {arguments.scenario} --cycles {cycles} --seed {seed}",
                  flush=True)
            return 1
        shutil.rmtree(directory)
        total.update(figures)
        done += cycles
        seconds = time.monotonic() - began
        print(f"round with seed {seed}: held ({done}/{arguments.cycles} cycles, {seconds:.0f} s)",
              flush=True)
        seed += 1
    print("held: " + ", ".join(f"{value} {name}" for name, value in total.items()), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
