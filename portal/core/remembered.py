"""Rows remembered between messages for a few seconds, so that the hot path need not read them again."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterable, Mapping
from itertools import islice
from typing import Final, Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

MAX_AGE: Final = 5.0
"""Seconds after which a remembered row is read again."""
MOST_ENTRIES: Final = 50_000
MOST_AT_ONCE: Final = 200


class Remembered(Generic[K, V]):
    """Values by key, each at most ``max_age`` seconds old. What was not found is not remembered.

    For one thread. ``clock`` gives monotonic seconds.
    """

    def __init__(
        self, max_age: float = MAX_AGE, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.max_age = max_age
        self.clock = clock
        self._entries: dict[K, tuple[float, V]] = {}

    def get(self, keys: Iterable[K], load: Callable[[list[K]], Mapping[K, V]]) -> dict[K, V]:
        """The values of those keys that exist; ``load`` is called once for all that are missing."""
        now = self.clock()
        oldest = now - self.max_age
        found: dict[K, V] = {}
        missing: list[K] = []
        wanted = set(keys)
        for key in wanted:
            entry = self._entries.get(key)
            if entry is None or entry[0] < oldest:
                missing.append(key)
            else:
                found[key] = entry[1]
        if missing:
            missing += self._old(oldest, set(missing))
            loaded = load(missing)
            if len(self._entries) + len(loaded) > MOST_ENTRIES:
                self._entries.clear()
            for key in missing:
                if key in loaded:
                    self._entries[key] = (now, loaded[key])
                else:
                    self._entries.pop(key, None)
            found.update((key, loaded[key]) for key in wanted if key in loaded)
        return found

    def _old(self, oldest: float, besides: set[K]) -> list[K]:
        """Others that have grown old: read again in the same go, each would cost a query soon."""
        old = (k for k, entry in self._entries.items() if entry[0] < oldest and k not in besides)
        return list(islice(old, MOST_AT_ONCE))

    def forget(self, key: K | None = None) -> None:
        """Forget one key, or all."""
        if key is None:
            self._entries.clear()
        else:
            self._entries.pop(key, None)
