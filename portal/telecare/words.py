"""Telecare in words for people: states, steps, causes, what somebody is to whom."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from markupsafe import Markup

from portal.core.i18n import _, lazy
from portal.telecare.alarm_models import AlarmState, Stage, Step, Trouble
from portal.telecare.models import Consent, Hearing, Language, Tie

STATE_NAMES: Final[dict[str, tuple[Any, str]]] = {
    AlarmState.PRESSED: (lazy("Just pressed"), "warn"),
    AlarmState.CANCELLED: (lazy("Taken back in time"), ""),
    AlarmState.SUPPRESSED: (lazy("Not raised"), "warn"),
    AlarmState.RAISED: (lazy("No answer yet"), "bad"),
    AlarmState.ACKNOWLEDGED: (lazy("On the way"), "warn"),
    AlarmState.ON_SITE: (lazy("There now"), "info"),
    AlarmState.CLOSED: (lazy("Closed"), "good"),
    AlarmState.TESTED: (lazy("Button test"), ""),
}
"""Words and the tone of the chip."""

STEP_NAMES: Final[dict[str, tuple[Any, str]]] = {
    Step.PRESSED: (lazy("Button pressed"), "warn"),
    Step.JOINED: (lazy("Pressed again"), "warn"),
    Step.CANCELLED: (lazy("Taken back by the wearer"), ""),
    Step.TAKEN_BACK: (lazy("Taken back by the wearer, too late: make sure"), "warn"),
    Step.SUPPRESSED: (lazy("Pressed right after the button started: kept, not raised"), "warn"),
    Step.TESTED: (lazy("Button tested"), "good"),
    Step.RAISED: (lazy("Alarm raised"), "bad"),
    Step.ESCALATED: (lazy("No answer, next ones told"), "bad"),
    Step.ACKNOWLEDGED: (lazy("Acknowledged"), "good"),
    Step.LOOKED: (lazy("Opened"), ""),
    Step.ARRIVED: (lazy("Arrived"), "good"),
    Step.HANDED_BACK: (lazy("Handed back, next ones told"), "warn"),
    Step.OVERDUE: (lazy("Nobody arrived in time, next ones told"), "bad"),
    Step.CLOSED: (lazy("Closed"), "good"),
}

STAGE_NAMES: Final[dict[str, Any]] = {
    Stage.CONTACT: lazy("a contact"),
    Stage.DUTY: lazy("staff on duty"),
    Stage.SUPERVISOR: lazy("the supervisors"),
    Stage.ALL: lazy("everybody"),
}

TROUBLE_NAMES: Final[dict[str, tuple[Any, str]]] = {
    Trouble.SILENT: (lazy("Not heard"), "bad"),
    Trouble.BATTERY: (lazy("Battery low"), "warn"),
    Trouble.TEST_DUE: (lazy("Weekly test due"), "warn"),
    Trouble.PHANTOM: (lazy("Pressed right after starting"), "bad"),
}
TROUBLE_HELP: Final[dict[str, Any]] = {
    Trouble.SILENT: lazy("Call the wearer, then look for power, Wi-Fi and the button itself."),
    Trouble.BATTERY: lazy("Bring a new battery or charge it."),
    Trouble.TEST_DUE: lazy("Ask the wearer to hold the button until it says that it is a test."),
    Trouble.PHANTOM: lazy(
        "Call the wearer and ask whether all is well. Most such presses come from a change of battery."
    ),
}

HEARING_NAMES: Final[dict[str, Any]] = {
    Hearing.GOOD: lazy("Hears well"),
    Hearing.HARD: lazy("Hard of hearing: speak slowly, ring long"),
    Hearing.DEAF: lazy("Does not hear: go there"),
}
LANGUAGE_NAMES: Final[dict[str, Any]] = {
    Language.MANDARIN: lazy("Mandarin"),
    Language.CANTONESE: lazy("Cantonese"),
    Language.DIALECT: lazy("The local dialect"),
    Language.ENGLISH: lazy("English"),
    Language.OTHER: lazy("Another language"),
}
TIE_NAMES: Final[dict[str, Any]] = {
    Tie.CHILD: lazy("Son or daughter"),
    Tie.SPOUSE: lazy("Husband or wife"),
    Tie.RELATIVE: lazy("Relative"),
    Tie.NEIGHBOUR: lazy("Neighbour"),
    Tie.FRIEND: lazy("Friend"),
    Tie.CARER: lazy("Carer"),
    Tie.OTHER: lazy("Other"),
}
CONSENT_NAMES: Final[dict[str, Any]] = {
    "": lazy("Not asked yet: is never told"),
    Consent.SPOKEN: lazy("Agreed in person"),
    Consent.WRITTEN: lazy("Agreed in writing"),
    Consent.PHONE: lazy("Agreed by phone"),
}


def lasting(duration: timedelta) -> str:
    """How long something has lasted, as a stopwatch shows it: ``0:45``, ``12:05``, ``1:02:05``."""
    seconds = max(0, int(duration.total_seconds()))
    hours, minutes, left = seconds // 3600, seconds % 3600 // 60, seconds % 60
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"


def hours_between(start: int, end: int) -> str:
    """Minutes of the day as people write them."""
    if start == end:
        return str(_("At any hour"))
    return f"{start // 60:02}:{start % 60:02}–{end // 60:02}:{end % 60:02}"


def named(name: str) -> Markup:
    """A name in a sentence: it is in no language of its own, and nobody translates it."""
    return Markup('<span lang="" translate="no">{}</span>').format(name) if name else Markup("")
