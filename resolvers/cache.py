"""A bounded memory, in which what was used least recently is forgotten first."""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, TypeVar

Key = TypeVar("Key")
Kept = TypeVar("Kept")


class Cache(Generic[Key, Kept]):
    """At most `entries` things, which together weigh at most `weight` (units are the caller's)."""

    def __init__(self, entries: int = 1000, weight: int = 16_000_000) -> None:
        self.entries = entries
        self.weight = weight
        self._kept: OrderedDict[Key, tuple[Kept, int]] = OrderedDict()
        self._weight = 0

    def get(self, key: Key) -> Kept | None:
        """What is kept under `key`, if anything is."""
        kept = self._kept.get(key)
        if kept is None:
            return None
        self._kept.move_to_end(key)
        return kept[0]

    def put(self, key: Key, value: Kept, weight: int = 0) -> None:
        """Keep `value`, unless it alone is too heavy."""
        self.forget(key)
        if weight > self.weight:
            return
        self._kept[key] = (value, weight)
        self._weight += weight
        while len(self._kept) > self.entries or self._weight > self.weight:
            _, (_, freed) = self._kept.popitem(last=False)
            self._weight -= freed

    def forget(self, key: Key) -> None:
        """Keep nothing under `key`."""
        kept = self._kept.pop(key, None)
        if kept is not None:
            self._weight -= kept[1]

    def clear(self) -> None:
        """Forget everything."""
        self._kept.clear()
        self._weight = 0

    def __len__(self) -> int:
        return len(self._kept)
