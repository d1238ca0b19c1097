"""How much the rows of this benchmark do."""

import dataclasses


@dataclasses.dataclass
class Plan:
    repeats: int = 3
    seconds: float = 5.0
    rows: int = 10  # of a write
    probe_seconds: float = 0.3
