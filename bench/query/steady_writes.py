"""Ten thousand one-row writes a second, alone and beside something else, in turns."""

from statements import spread

RATE = 10_000


def steady(bench, arka, seconds=None):
    """One run of the load generator of ./dev bench write."""
    return bench.load.cpp(arka, "steady", rate=RATE, seconds=seconds or bench.plan.seconds)


def ack_p99s(results):
    """Spreads of the p99 of acks in ms: alone, beside."""
    p99 = lambda result: result["levels"]["LOCAL_DISK"]["p99_us"] / 1000
    return tuple(spread([p99(result) for result in results[name]]) for name in ("alone", "beside"))


def writes_per_s(result):
    """Up to the last ack."""
    slowest = result["levels"]["LOCAL_DISK"]["max_us"] / 1e6
    return result["writes"] / (result["seconds"] + slowest)


def alternate(bench, arka, company):
    """{"alone": [result], "beside": [result]}. company() starts with each run beside it and ends by
    itself in its time; what its join() returns is the result's `company`."""
    steady(bench, arka, 0.5)  # makes the table, and is thrown away
    results = {"alone": [], "beside": []}
    for turn in range(bench.plan.repeats):
        for name in ("alone", "beside") if turn % 2 == 0 else ("beside", "alone"):
            if name == "alone":
                results[name].append(steady(bench, arka))
                continue
            beside = company()
            beside.start()
            try:
                result = steady(bench, arka)
            finally:
                told = beside.join()
            results[name].append({**result, "company": told})
    return results
