"""The wall clock jumps, hours back and forth, while the server runs and between a crash and a start."""

JUMPS = (-5 * 365 * 86_400, -86_400, -3_600, -61, -1, 1, 61, 3_600, 86_400, 365 * 86_400)


def jump_cycles(trial, shim, cycles, say=lambda text: None):
    """Jumps `cycles` times from the true time; every third jump is between a kill and a restart."""
    for cycle in range(1, cycles + 1):
        trial.wait_for_acks("COMMITTED", 1, 10)
        jump = trial.rng.choice(JUMPS)
        killed = trial.rng.random() < 0.34
        if killed:
            trial.kill()
        shim.set("clock_offset_seconds", jump)
        if killed:
            trial.restart()
        trial.wait_for_acks("LOCAL_DISK", trial.rng.randrange(1, 200), 2)
        trial.history.raise_violations()
        say(f"cycle {cycle}/{cycles}: {jump:+} s{', killed' if killed else ''}, "
            f"{trial.history.sends} writes, {trial.history.acks} acks")
