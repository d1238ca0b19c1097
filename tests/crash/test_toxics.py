"""The object store behind a network that resets, stalls, delays and is cut."""

import pytest
from crash import toxics

CYCLES = 8


@pytest.mark.timeout(600)
def test_a_bad_network_to_the_object_store_loses_and_doubles_nothing(start_trial, tmp_path):
    with toxics.bad_ways(tmp_path) as (settings, properties, proxies):
        trial = start_trial(settings=settings, properties=properties, pause=0.2)
        toxics.toxic_cycles(trial, proxies, CYCLES, toxics.SHORT_CUT, print)
        figures = trial.finish()
    print(dict(figures))
    assert figures["committed acks"] > 0
