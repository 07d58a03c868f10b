"""Pages of a list: one row more than shown is read, so that no count over a large table is needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from sqlalchemy import Select
from sqlalchemy.orm import Session

T = TypeVar("T")

PAGE_SIZE: Final = 25
LAST_PAGE: Final = 100_000


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Items of one page; ``number`` counts from 1."""

    items: Sequence[T]
    number: int
    size: int
    has_next: bool

    @property
    def has_previous(self) -> bool:
        """Whether there is an earlier page."""
        return self.number > 1


def page_number(raw: str | None) -> int:
    """The page that an address asks for; nonsense means the first."""
    if raw is None or not raw.isascii() or not raw.isdigit():
        return 1
    return min(max(int(raw[:9]), 1), LAST_PAGE)


def paginate(
    session: Session, statement: Select[Any], number: int, size: int = PAGE_SIZE
) -> Page[Any]:
    """Read one page of a statement that selects one entity in a stable order."""
    limited = statement.limit(size + 1).offset((number - 1) * size)
    rows = session.scalars(limited).unique().all()
    return Page(items=rows[:size], number=number, size=size, has_next=len(rows) > size)
