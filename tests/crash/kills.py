"""kill -9 at random moments: after a random time, or after the n-th ack of some level."""

from crash.history import LEVELS


def kill_cycles(trial, cycles, say=lambda text: None):
    """Kills and restarts the trial's server `cycles` times; some starts are killed on their way."""
    rng = trial.rng
    for cycle in range(1, cycles + 1):
        if rng.random() < 0.8:  # else the kill may come before any client is back
            trial.wait_for_acks("MEMORY", 1, 5)
        if rng.random() < 0.5:
            moment, limit = "COMMITTED", rng.choice((0.02, 0.1, 0.3, 0.6)) * (0.5 + rng.random())
            trial.wait_for_acks(moment, 10**9, limit)
        else:
            moment = rng.choice(LEVELS)
            trial.wait_for_acks(moment, rng.choice((1, 10, 100, 1_000)), 1.0)
        trial.kill()
        meanwhile = rng.choice((0, 0, 0, 1, 2))
        try:
            trial.restart(killed_meanwhile=meanwhile)
        except BaseException:
            say(f"cycle {cycle}: failed after kill {trial.kills}")
            raise
        say(f"cycle {cycle}/{cycles}: {trial.kills} kills, {trial.history.sends} writes, "
            f"{trial.history.acks} acks")
