"""The worker: takes events off the broker, runs one operation in one transaction, answers, acknowledges.

::

    broker ─► sorted ─┬─ scans ──────────────────► decide ─ commit ─► publish ─┐
                      ├─ other events, statuses,                              ├─► acknowledge
                      │  results (up to 50 ms later) ► record ─ commit ─► ack ─┘   (in order of arrival)
                      └─ bad messages ──────────► quarantine

Scans are committed as soon as they are there, together with those that arrived during the last commit
(group commit), never waiting for more. Nothing is acknowledged before its effect is committed: what a
killed worker leaves behind is delivered again and handled once.
"""

from portal.worker.service import Worker, run

__all__ = ["Worker", "run"]
