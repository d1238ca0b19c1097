"""Object store and catalog behind a network that resets, stalls, delays and is cut."""

import pytest
from crash import toxics

CYCLES = 13  # every kind of fault twice, and the cut at the end


@pytest.mark.timeout(600)
def test_a_bad_network_to_object_store_and_catalog_loses_and_doubles_nothing(start_trial, tmp_path):
    with toxics.bad_ways(tmp_path) as (options, proxies):
        trial = start_trial(**options)
        toxics.toxic_cycles(trial, proxies, CYCLES, toxics.SHORT_CUT, print)
        figures = trial.finish()
    print(dict(figures))
    assert figures["committed acks"] > 0
