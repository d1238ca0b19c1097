"""Death at a chosen step of logging, uploading and committing: before it, and right after its effect.

The server is arka_dying_server (dying_server/main.cc): the real one, with a decorator before its file
system, stores and catalog that ends the process there.
"""

# EDGE.KIND:TARGET, see dying_server/main.cc.
STEPS_OF_CREATION = ("catalog.create_table:", "catalog.create_table:")  # there are two tables
STEPS_OF_A_START = (  # come once; the first on an empty directory only
    "fs.rename:log/fresh.tmp",
    "fs.sync_dir:data/log",
    "fs.read:data/log/0",
    "objects.list:",
)
STEPS_OF_THE_LOG = ("fs.write:data/log/", "fs.sync:data/log/")  # hundreds, most of them groups
STEPS = (
    "fs.write:log/control",
    "fs.sync:log/control",
    "objects.put:",
    "fs.write:objects/.staging",
    "fs.sync:objects/.staging",
    "fs.rename:objects/.staging",
    "fs.sync_dir:objects/log",
    "objects.delete:",
    "catalog.load_table:",
    "warehouse.put:.parquet",
    "warehouse.put:m0.avro",
    "warehouse.put:/snap-",
    "warehouse.put:.metadata.json",
    "fs.write:warehouse/.staging",
    "fs.sync:warehouse/.staging",
    "fs.rename:.metadata.json",
    "fs.sync_dir:/metadata",
    "warehouse.get:.metadata.json",
    "warehouse.get:/snap-",
    "catalog.commit_table:",
)
MOMENTS = ("before", "after")
REACH_SECONDS = 6  # within which a step must have come while clients write
FURTHEST, FURTHEST_IN_LOG = 3, 120  # a point is the 1st to 3rd time that a step comes


def points(steps, furthest, rng):
    """Two points a step, before and after; which time the step comes is chosen by `rng`."""
    return [f"{step}:{rng.randint(1, furthest)}:{moment}" for step in steps for moment in MOMENTS]


def creation_points(rng):
    """For a trial of its own: they come while there are no tables yet."""
    return points(STEPS_OF_CREATION, 1, rng)


def all_other_points(rng):
    return (points(STEPS_OF_A_START, 1, rng) + points(STEPS_OF_THE_LOG, FURTHEST_IN_LOG, rng)
            + points(STEPS, FURTHEST, rng))


def die_at(trial, point):
    """Starts the trial's server so that it dies there, and waits for that; answers whether it did.

    The server may die while it recovers, before it is ready. Leaves no server running.
    """
    died_by_itself = trial.run_until_it_dies("arka_dying_server", ("--die", point), REACH_SECONDS)
    trial.history.raise_violations()
    return died_by_itself


def die_everywhere(trial, chosen, say=lambda text: None):
    """Dies at every one of the points; answers those that were not reached."""
    missed = []
    for number, point in enumerate(chosen, 1):
        try:
            reached = die_at(trial, point)
        except BaseException:
            say(f"failed at point {point}")
            raise
        if not reached:
            missed.append(point)
        say(f"point {number}/{len(chosen)}: {'died at' if reached else 'did not reach'} {point}, "
            f"{trial.history.sends} writes, {trial.history.acks} acks")
    return missed
