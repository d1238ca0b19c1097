"""The crash harness: real servers that die, real clients that go on, and an oracle outside of both.

`workload` makes the writes, `connection` and `producer` send them and hear the acks, `history` keeps
what was sent and acknowledged, `oracle` holds it against what PyIceberg reads, `trial` runs all of
them over one data directory, and `faults` are the things that go wrong meanwhile. docs/internals/failure_model.md
says what is claimed; `./dev crash` runs it by hand.
"""
