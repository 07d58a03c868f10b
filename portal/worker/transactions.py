"""Transactions that have to succeed: tried again while the database is away, split when one is refused.

::

    all in one ──ok──► done
       │  database away (gone, locked, disk full) ──► pause, all again; nothing is acknowledged
       └─ refused (another worker was faster, a value it does not take) ──► one by one
                one ──ok──► done      refused ATTEMPTS times ──► put aside as unprocessable
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

import structlog
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session

from portal.core.bus import Received
from portal.core.db import Database
from portal.worker.handling import Effects
from portal.worker.intake import POISON, Bad

_log = structlog.get_logger(__name__)

ATTEMPTS: Final = 3
FIRST_PAUSE: Final = 0.1
LONGEST_PAUSE: Final = 5.0
Pair = TypeVar("Pair", bound=tuple[Received, object])


class StoppingError(Exception):
    """The process is to end while the database is away: leave the rest to the broker."""


class Transactions:
    """Runs work in write transactions.

    Args:
        pause: waits so many seconds, keeping the connection to the broker alive; raises
            :class:`StoppingError` when the process is to end.
    """

    def __init__(self, database: Database, pause: Callable[[float], None]) -> None:
        self._database = database
        self._pause = pause
        self.up = True
        self.retries = 0

    def run(self, work: Callable[[Session], Effects]) -> Effects:
        """One transaction, repeated until the database takes it.

        Raises:
            StoppingError: see ``pause``.
            Exception: whatever the work or the database objects to in this very transaction.
        """
        wait = FIRST_PAUSE
        while True:
            try:
                with self._database.write() as session:
                    effects = work(session)
            except Exception as error:
                if not _is_away(error):
                    raise
                self.up = False
                self.retries += 1
                _log.warning("database_away", cause=_cause(error), next_try_s=wait)
                self._pause(wait)
                wait = min(wait * 2, LONGEST_PAUSE)
            else:
                if not self.up:
                    _log.info("database_back")
                self.up = True
                return effects

    def run_all(
        self, pairs: Sequence[Pair], work: Callable[[Session, Sequence[Pair]], Effects]
    ) -> Effects:
        """All in one transaction; when that is refused, each in its own."""
        try:
            return self.run(lambda session: work(session, pairs))
        except StoppingError:
            raise
        except Exception as error:  # noqa: BLE001 - one bad message must not stop the others
            _log.info("batch_split", size=len(pairs), cause=_cause(error))
        merged = Effects()
        for pair in pairs:
            effects = self._single(pair, work)
            merged.outgoing += effects.outgoing
            merged.bad += effects.bad
            merged.answers += effects.answers
        return merged

    def _single(self, pair: Pair, work: Callable[[Session, Sequence[Pair]], Effects]) -> Effects:
        cause = ""
        for _ in range(ATTEMPTS):
            try:
                return self.run(lambda session: work(session, [pair]))
            except StoppingError:
                raise
            except Exception as error:  # noqa: BLE001 - put aside below, with its cause
                cause = _cause(error)
                self.retries += 1
        _log.error("message_unprocessable", topic=pair[0].topic, cause=cause)
        return Effects(bad=[Bad(pair[0], POISON, cause)])


def _is_away(error: Exception) -> bool:
    """Whether the database as a whole is the trouble: gone, locked, full; or a deadlock, to be repeated."""
    if isinstance(error, OperationalError | InterfaceError | PoolTimeoutError):
        return True
    return isinstance(error, DBAPIError) and error.connection_invalidated


def _cause(error: Exception) -> str:
    """The kind of an error without the statement's values: they may be personal."""
    if isinstance(error, DBAPIError) and error.orig is not None:
        text = str(error.orig).splitlines()
        return f"{type(error.orig).__name__}: {text[0] if text else ''}"[:200]
    return type(error).__name__
