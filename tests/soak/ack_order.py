"""Whether the acks of a stream came as they may."""

from testbed.write_stream import TIERS


def problems_of(acks):
    """What is wrong with the order of one stream's acks."""
    last = {}
    for ack in acks:
        if ack.is_watermark_update:
            continue
        tier = TIERS.index(ack.durability_level)
        if ack.lsn <= last.get(tier, 0):
            return f"{ack.durability_level} of LSN {ack.lsn} after that of {last[tier]}"
        if tier and ack.lsn > last.get(tier - 1, 0):
            return f"{ack.durability_level} of LSN {ack.lsn} before {TIERS[tier - 1]}"
        last[tier] = ack.lsn
    return None
