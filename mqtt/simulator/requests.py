"""What the control channel can ask of a running simulator; the requests are listed in ``control``."""

from __future__ import annotations

import asyncio
import base64
import binascii
from pathlib import Path
from typing import Any, TypeVar

from mqtt.simulator.alarm_button import AlarmButton
from mqtt.simulator.control import Answer, Request, failure
from mqtt.simulator.device import Device
from mqtt.simulator.door_lock import DoorLock, ScanError
from mqtt.simulator.parcel_locker import ParcelLocker
from mqtt.simulator.scanner import ImageError, decode_pass
from mqtt.simulator.simulator import Row, Simulator, UnknownDeviceError
from mqtt.simulator.thermometer import Thermometer

D = TypeVar("D", bound=Device)


class RequestError(ValueError):
    """The request does not fit; the message says how."""


def _row(row: Row) -> dict[str, Any]:
    return {
        "device": row.name,
        "title": row.title,
        "kind": row.kind.value,
        "status": row.status,
        "last_event": row.last_event,
        "last_command": row.last_command,
        "unanswered": row.waiting,
        "milliseconds": row.milliseconds,
        "state": row.view,
    }


def _temperature(request: Request, field: str, low: float, high: float) -> float | None:
    value = request.get(field)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise RequestError(f"{field} is a number from {low:g} to {high:g}")
    return float(value)


class Requests:
    """Carries out requests on one simulator."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._operations = {
            "list": self._list,
            "state": self._state,
            "scan": self._scan,
            "press": self._press,
            "measure": self._measure,
            "open_door": self._open_door,
            "close_compartment": self._close_compartment,
            "pry_compartment": self._pry_compartment,
            "power_cut": self._power_cut,
        }

    async def handle(self, request: Request) -> Answer:
        """The answer to one request; never raises for what the caller did wrong."""
        operation = self._operations.get(str(request.get("op")))
        if operation is None:
            return failure("unknown_operation", f"one of {', '.join(self._operations)}")
        try:
            return {"ok": True, **await operation(request)}
        except UnknownDeviceError as error:
            return failure("unknown_device", str(error))
        except (ImageError, ScanError) as error:
            return failure("no_code", str(error))
        except RequestError as error:
            return failure("bad_request", str(error))

    def _device(self, request: Request, kind: type[D]) -> D:
        name = request.get("device")
        if not isinstance(name, str):
            raise RequestError("device is the key of a device")
        found = self._simulator.find(name)
        if not isinstance(found, kind):
            raise RequestError(f"{found.spec.name} is a {found.kind}")
        return found

    async def _list(self, _request: Request) -> Answer:
        return {"devices": [_row(row) for row in self._simulator.rows()]}

    async def _state(self, request: Request) -> Answer:
        return _row(self._simulator.row(self._device(request, Device)))

    async def _scan(self, request: Request) -> Answer:
        gate = self._device(request, DoorLock)
        temperature = _temperature(request, "body_temperature", -60, 150)
        code = await self._code(request)
        decision = await self._simulator.scan(gate, code, temperature)
        return {
            "device": gate.spec.name,
            "decision": decision.outcome,
            "reason": decision.reason,
            "milliseconds": decision.milliseconds,
            "event": decision.event,
        }

    async def _code(self, request: Request) -> str:
        code = request.get("code")
        if isinstance(code, str):
            return code
        source: bytes | Path
        if isinstance(request.get("image"), str):
            try:
                source = base64.b64decode(request["image"], validate=True)
            except binascii.Error as error:
                raise RequestError("image is base64") from error
        elif isinstance(request.get("path"), str):
            source = Path(request["path"])
        else:
            raise RequestError("a scan needs code, image or path")
        found = await asyncio.to_thread(decode_pass, source)
        if found is None:
            raise ScanError("no code in the picture")
        return found

    async def _press(self, request: Request) -> Answer:
        button = self._device(request, AlarmButton)
        if request.get("cancel"):
            action = button.cancel
        else:
            action = button.test if request.get("test") else button.press
        before = button.last_alarm
        milliseconds = await self._simulator.alarm(button, action)
        if button.last_alarm == before:
            return {"device": button.spec.name, "sent": False, "reason": "nothing_to_cancel"}
        return {
            "device": button.spec.name,
            "sent": True,
            "event": button.last_alarm,
            "acknowledged": milliseconds is not None,
            "milliseconds": milliseconds and round(milliseconds, 3),
            "feedback": button.feedback,
        }

    async def _measure(self, request: Request) -> Answer:
        thermometer = self._device(request, Thermometer)
        wanted = _temperature(request, "temperature", 20, 50)
        self._simulator.perform(
            thermometer, lambda now: thermometer.measure(now, temperature=wanted)[1]
        )
        return _row(self._simulator.row(thermometer))

    async def _open_door(self, request: Request) -> Answer:
        gate = self._device(request, DoorLock)
        self._simulator.perform(gate, gate.force if request.get("forced") else gate.exit)
        return _row(self._simulator.row(gate))

    async def _close_compartment(self, request: Request) -> Answer:
        locker, number = self._compartment(request)
        occupied = bool(request.get("occupied"))
        if not locker.doors[number].open:
            raise RequestError(f"compartment {number} is closed")
        self._simulator.perform(locker, lambda now: locker.close(number, occupied, now))
        return _row(self._simulator.row(locker))

    async def _pry_compartment(self, request: Request) -> Answer:
        locker, number = self._compartment(request)
        self._simulator.perform(locker, lambda now: locker.pry(number, now))
        return _row(self._simulator.row(locker))

    async def _power_cut(self, request: Request) -> Answer:
        locker = self._device(request, ParcelLocker)
        self._simulator.perform(locker, locker.power_cut)
        return _row(self._simulator.row(locker))

    def _compartment(self, request: Request) -> tuple[ParcelLocker, int]:
        locker = self._device(request, ParcelLocker)
        number = request.get("compartment")
        if not isinstance(number, int) or number not in locker.doors:
            raise RequestError(f"compartment is a number from 1 to {len(locker.doors)}")
        return locker, number
