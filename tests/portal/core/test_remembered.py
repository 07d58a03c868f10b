"""Remembered rows grow old, and what is not there is asked for again."""

from __future__ import annotations

from portal.core.remembered import Remembered


class Shelf:
    """Values to be loaded, and what was asked for."""

    def __init__(self) -> None:
        self.values: dict[str, int] = {"a": 1, "b": 2}
        self.asked: list[list[str]] = []

    def load(self, keys: list[str]) -> dict[str, int]:
        self.asked.append(sorted(keys))
        return {key: self.values[key] for key in keys if key in self.values}


def test_a_value_is_loaded_once_until_it_is_old() -> None:
    ticks, shelf = [0.0], Shelf()
    memory: Remembered[str, int] = Remembered(5.0, lambda: ticks[0])
    assert memory.get(["a", "a"], shelf.load) == {"a": 1}
    shelf.values["a"] = 9
    ticks[0] = 5.0
    assert memory.get(["a"], shelf.load) == {"a": 1}
    ticks[0] = 5.1
    assert memory.get(["a"], shelf.load) == {"a": 9}
    assert shelf.asked == [["a"], ["a"]]


def test_what_is_not_there_is_not_remembered_as_missing() -> None:
    shelf = Shelf()
    memory: Remembered[str, int] = Remembered()
    assert memory.get(["c"], shelf.load) == {}
    shelf.values["c"] = 3
    assert memory.get(["c"], shelf.load) == {"c": 3}


def test_old_values_are_read_again_together() -> None:
    ticks, shelf = [0.0], Shelf()
    memory: Remembered[str, int] = Remembered(5.0, lambda: ticks[0])
    memory.get(["a", "b"], shelf.load)
    ticks[0] = 6.0
    assert memory.get(["a"], shelf.load) == {"a": 1}
    assert memory.get(["b"], shelf.load) == {"b": 2}
    assert shelf.asked == [["a", "b"], ["a", "b"]]


def test_a_value_that_is_gone_is_forgotten() -> None:
    ticks, shelf = [0.0], Shelf()
    memory: Remembered[str, int] = Remembered(5.0, lambda: ticks[0])
    memory.get(["a"], shelf.load)
    del shelf.values["a"]
    ticks[0] = 6.0
    assert memory.get(["a"], shelf.load) == {}


def test_forgetting_asks_again() -> None:
    shelf = Shelf()
    memory: Remembered[str, int] = Remembered()
    memory.get(["a", "b"], shelf.load)
    memory.forget("a")
    memory.get(["a", "b"], shelf.load)
    memory.forget()
    memory.get(["a", "b"], shelf.load)
    assert shelf.asked == [["a", "b"], ["a"], ["a", "b"]]
