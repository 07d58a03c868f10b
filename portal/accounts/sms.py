"""How a code reaches a phone: not at all, on this machine's own screen (demo), or through an HTTP gateway.

The gateway gets, with ``Authorization: Bearer`` where a token is configured::

    POST LINLI_SMS_URL
    {"id": "17", "phone": "13800138000", "template": "sign_in", "language": "zh_Hans_CN",
     "params": {"code": "042817", "minutes": "5"}}

and answers 2xx when it has taken the message; ``id`` is the same when it is tried again, so that it need not be
sent twice. 5xx and no answer within 3 s are tried twice more, 4xx is not. A message is sent from a thread of
its own: the page answers at once, and alike for phones that are known and unknown. A message that is lost
with the process is asked for again by the person; it is not kept, for then the code would be.

Neither code nor number reaches a log.
"""

from __future__ import annotations

import json
import os
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import structlog
from prometheus_client import Counter

from portal.config import Config

FILE: Final = "run/phone-codes.jsonl"
"""Where the console adapter leaves codes for ``linli demo code PHONE`` (0600)."""
TIMEOUT_SECONDS: Final = 3.0
PAUSES: Final = (0.5, 1.5)
"""Before the second and third try, seconds."""
SENT: Final = Counter("linli_phone_codes_total", "Codes given to the gateway", ["result"])
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Message:
    """One code on its way. It shows itself in no repr."""

    id: str
    phone: str
    template: str
    language: str
    code: str
    minutes: int

    def __repr__(self) -> str:
        return f"Message({self.id})"


class Sender(Protocol):
    """Takes messages; never raises, for nobody waits for it."""

    def send(self, message: Message) -> None:
        """Take one."""
        ...


class NullSender:
    """Nothing is configured: pages do not offer codes."""

    def send(self, message: Message) -> None:
        """Drop it."""


class ConsoleSender:
    """Leaves codes in a file of the data folder that only its owner reads: for demos."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def send(self, message: Message) -> None:
        """Append a line."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        line = json.dumps({"phone": message.phone, "code": message.code, "at": time.time()})
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(line + "\n")
        SENT.labels("shown").inc()


class GatewaySender:
    """Posts to the gateway, see the module's docstring."""

    def __init__(self, url: str, token: str, *, timeout: float = TIMEOUT_SECONDS) -> None:
        self._url, self._token, self._timeout = url, token, timeout

    def send(self, message: Message) -> None:
        """Hand it to a thread."""
        threading.Thread(target=self.deliver, args=(message,), daemon=True, name="sms").start()

    def deliver(self, message: Message) -> bool:
        """Post it, again where that may help; whether the gateway took it."""
        for pause in (0.0, *PAUSES):
            time.sleep(pause)
            status = self._post(message)
            if 200 <= status < 300:
                SENT.labels("taken").inc()
                return True
            if 400 <= status < 500:
                break
        SENT.labels("failed").inc()
        _log.warning("phone_code_not_sent", message=message.id, status=status)
        return False

    def _post(self, message: Message) -> int:
        body = {
            "id": message.id,
            "phone": message.phone,
            "template": message.template,
            "language": message.language,
            "params": {"code": message.code, "minutes": str(message.minutes)},
        }
        headers = {"Content-Type": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        request = urllib.request.Request(  # noqa: S310 - http or https, by the configuration
            self._url, json.dumps(body).encode(), headers, method="POST"
        )
        try:
            with urllib.request.urlopen(request, timeout=self._timeout) as answer:  # noqa: S310
                return int(answer.status)
        except urllib.error.HTTPError as error:
            error.close()
            return error.code
        except OSError:
            return 0


def sender(config: Config) -> Sender:
    """The adapter that is configured."""
    if config.sms == "console":
        return ConsoleSender(config.path(FILE))
    if config.sms == "http":
        return GatewaySender(config.sms_url, config.sms_token)
    return NullSender()


def shown_code(path: Path, phone: str) -> str | None:
    """The last code that the console adapter left for a phone."""
    try:
        lines = path.read_text("utf-8").splitlines()
    except FileNotFoundError:
        return None
    for line in reversed(lines):
        entry = json.loads(line)
        if entry["phone"] == phone:
            return str(entry["code"])
    return None
