"""How durable a write is."""

from __future__ import annotations

import enum
from typing import Union


class Level(enum.IntEnum):
    """Ordered: MEMORY < LOCAL_DISK < OBJECT_STORAGE < COMMITTED. A write passes through all of them."""

    MEMORY = 0
    LOCAL_DISK = 1
    OBJECT_STORAGE = 2
    COMMITTED = 3

    def __str__(self) -> str:
        return self.name

    @classmethod
    def of(cls, level: LevelLike) -> Level:
        """The level of that name; a ValueError names those there are."""
        if isinstance(level, str):
            try:
                return cls[level]
            except KeyError:
                known = ", ".join(cls.__members__)
                raise ValueError(f"no durability level {level!r}; there are {known}") from None
        return cls(level)


LevelLike = Union[Level, str]
