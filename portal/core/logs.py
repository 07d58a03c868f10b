"""Logging of a process: structlog to standard error, for people or as JSON; other libraries' through it."""

from __future__ import annotations

import logging
import sys
from typing import Any, Final

import structlog

from portal.config import Config

_QUIET: Final = ("alembic", "sqlalchemy", "werkzeug", "flask_limiter", "urllib3", "PIL", "paho")


def configure(config: Config, process: str) -> None:
    """Set up logging, once at the start of a process.

    Args:
        process: its name, written into every line of JSON.
    """
    level = getattr(logging, config.log_level.upper())
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    renderer: Any
    if config.log_format == "json":

        def name_process(_logger: Any, _method: str, record: Any) -> Any:
            record["process"] = process
            return record

        shared += [name_process, structlog.processors.format_exc_info]
        renderer = structlog.processors.JSONRenderer(ensure_ascii=False)
    else:
        renderer = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.captureWarnings(True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
