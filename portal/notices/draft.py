"""What staff write down for a notice, and everything that can be wrong with it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from portal.core.errors import DomainError
from portal.core.i18n import lazy
from portal.notices.audience import Audience
from portal.notices.models import Priority
from portal.notices.text import says_something
from portal.residents.models import Relation

TITLE_LENGTH: Final = 80
BODY_LENGTH: Final = 10_000
REASON_LENGTH: Final = 200
FURTHEST_START: Final = timedelta(days=366)
LONGEST_LIFE: Final = timedelta(days=3 * 366)
GRACE: Final = timedelta(minutes=15)
"""How long ago a start may lie: a person takes a while to write."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A notice as written: texts cleaned by :mod:`portal.notices.text`, times aware.

    ``publish_at`` of ``None`` means as soon as it is released, ``expires_at`` of ``None`` never.
    """

    title: str
    body: str
    audience: Audience
    priority: str = Priority.NORMAL
    confirm: bool = False
    confirm_by: datetime | None = None
    publish_at: datetime | None = None
    expires_at: datetime | None = None
    pinned: bool = False
    public: bool = False


def faults(draft: Draft, now: datetime, *, published: bool = False) -> list[DomainError]:
    """Everything that is wrong with a draft by itself, each with its field; empty when good.

    Args:
        published: it is out already, so that its start and audience cannot be at fault any more.
    """
    wrong = _text_faults(draft)
    if not published:
        wrong += _audience_faults(draft) + _start_faults(draft, now)
    return wrong + _end_faults(draft, now, published=published)


def _fault(code: str, sentence: Any, field: str) -> DomainError:
    return DomainError(code, sentence, field=field)


def _text_faults(draft: Draft) -> list[DomainError]:
    wrong = []
    if not draft.title:
        wrong.append(_fault("title_missing", lazy("Enter a title."), "title"))
    elif len(draft.title) > TITLE_LENGTH:
        sentence = lazy("A title has at most %(number)s characters.", number=TITLE_LENGTH)
        wrong.append(_fault("title_long", sentence, "title"))
    elif not says_something(draft.title):
        wrong.append(_fault("title_empty", lazy("A title needs words, not signs alone."), "title"))
    if not draft.body:
        wrong.append(_fault("body_missing", lazy("Write what people are to know."), "body"))
    elif len(draft.body) > BODY_LENGTH:
        sentence = lazy(
            "The text has %(length)s characters; at most %(number)s are possible.",
            length=len(draft.body),
            number=BODY_LENGTH,
        )
        wrong.append(_fault("body_long", sentence, "body"))
    elif not says_something(draft.body):
        wrong.append(_fault("body_empty", lazy("The text needs words, not signs alone."), "body"))
    if draft.priority not in set(Priority):
        sentence = lazy("Choose a priority from the list.")
        wrong.append(_fault("priority_unknown", sentence, "priority"))
    return wrong


def _audience_faults(draft: Draft) -> list[DomainError]:
    if draft.audience.relation not in {"", *Relation}:
        return [
            _fault("relation_unknown", lazy("Choose from the list whom it is for."), "relation")
        ]
    return []


def _start_faults(draft: Draft, now: datetime) -> list[DomainError]:
    if draft.publish_at is None:
        return []
    if draft.publish_at < now - GRACE:
        sentence = lazy("This time has passed. Leave it empty to publish at once.")
        return [_fault("start_past", sentence, "publish_at")]
    if draft.publish_at > now + FURTHEST_START:
        sentence = lazy("A notice can be scheduled at most a year ahead.")
        return [_fault("start_far", sentence, "publish_at")]
    return []


def _end_faults(draft: Draft, now: datetime, *, published: bool) -> list[DomainError]:
    wrong = []
    start = now if published else max(draft.publish_at or now, now)
    if draft.expires_at is not None:
        if draft.expires_at <= start:
            sentence = lazy("The end must be after the publication.")
            wrong.append(_fault("end_before_start", sentence, "expires_at"))
        elif draft.expires_at > start + LONGEST_LIFE:
            sentence = lazy("A notice can be shown for at most three years.")
            wrong.append(_fault("end_far", sentence, "expires_at"))
    if draft.confirm_by is not None:
        if not draft.confirm:
            sentence = lazy("This time only counts when you ask for confirmation: tick it above.")
            wrong.append(_fault("confirm_by_alone", sentence, "confirm_by"))
        elif draft.confirm_by <= start and not published:
            sentence = lazy("The time to confirm must be after the publication.")
            wrong.append(_fault("confirm_by_early", sentence, "confirm_by"))
        elif draft.confirm_by > (draft.expires_at or start + LONGEST_LIFE):
            sentence = lazy("The time to confirm must be before the end.")
            wrong.append(_fault("confirm_by_late", sentence, "confirm_by"))
    return wrong
