"""``linli simulate``: run virtual devices, and act for those of a running simulator.

``run`` opens a control channel in the data folder; ``devices``, ``scan``, ``press``, ``door``, ``measure``,
``close``, ``pry`` and ``power-cut`` talk to it from any other shell. Exit codes of ``scan``: 0 let in, 1 refused, 3 no answer;
every command: 2 for wrong usage, 4 when no simulator is running or it cannot do what was asked.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

import click
from rich.console import Console
from rich.live import Live
from rich.table import Table

from mqtt.simulator import control
from mqtt.simulator.connection import BrokerSettings, BrokerUrlError
from mqtt.simulator.population import PopulationError, SimulatedDevice, invent, load
from mqtt.simulator.requests import Requests
from mqtt.simulator.simulator import Row, Simulator

ALLOWED: Final = 0
REFUSED: Final = 1
NO_ANSWER: Final = 3
FAILED: Final = 4
POPULATION_FILE: Final = "simulated-devices.json"
QUEUE_FOLDER: Final = "simulator-queue"
_REDRAW_SECONDS: Final = 0.5


@dataclass(frozen=True, slots=True)
class Defaults:
    """What the options fall back to."""

    data_dir: Path
    mqtt_url: str


def from_environment() -> Defaults:
    """``LINLI_DATA_DIR`` and ``LINLI_MQTT_URL``."""
    return Defaults(
        data_dir=Path(os.environ.get("LINLI_DATA_DIR", "data")),
        mqtt_url=os.environ.get("LINLI_MQTT_URL", "mqtt://127.0.0.1:1883"),
    )


def simulate_group(defaults: Callable[[], Defaults] = from_environment) -> click.Group:
    """The command group; ``defaults`` is asked when a command runs."""

    @click.group("simulate")
    @click.option(
        "--data-dir",
        type=click.Path(file_okay=False, path_type=Path),
        help="Data folder of the running system.",
    )
    @click.pass_context
    def group(context: click.Context, data_dir: Path | None) -> None:
        """Virtual gates, thermometers, lockers and alarm buttons."""
        found = defaults()
        context.obj = Defaults(data_dir or found.data_dir, found.mqtt_url)

    for command in (run, devices, scan, press, door, measure, close, pry, power_cut):
        group.add_command(command)
    return group


def _population(path: Path, size: int | None, *, explicit: bool) -> tuple[SimulatedDevice, ...]:
    if not explicit and not path.exists() and size is not None:
        return invent(size)
    found = load(path)
    if size is None:
        return found
    if size > len(found):
        raise PopulationError(f"{path} has {len(found)} devices, not {size}")
    return found[:size]


@click.command()
@click.option(
    "--population",
    type=click.Path(dir_okay=False, path_type=Path),
    help=f"File of devices; {POPULATION_FILE} in the data folder by default.",
)
@click.option("--mqtt-url", help="mqtt://user:password@host:port, for devices without their own.")
@click.option(
    "--ca-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Certificate authority of an mqtts:// broker.",
)
@click.option("--seed", default=0, show_default=True, help="The same seed tells the same story.")
@click.option(
    "--rate",
    default=6.0,
    show_default=True,
    type=click.FloatRange(min=0),
    help="Events a minute that happen by themselves, over all devices.",
)
@click.option(
    "--size",
    type=click.IntRange(min=1),
    help="Only so many devices; without a population file, so many invented ones.",
)
@click.option(
    "--codes",
    type=click.File("r", encoding="utf-8"),
    help="Codes to scan at random gates, one a line.",
)
@click.option("--live/--no-live", default=None, help="Show a table of the devices as they act.")
@click.pass_obj
def run(
    defaults: Defaults,
    *,
    population: Path | None,
    mqtt_url: str | None,
    ca_file: Path | None,
    seed: int,
    rate: float,
    size: int | None,
    codes: IO[str] | None,
    live: bool | None,
) -> None:
    """Run virtual devices until interrupted."""
    path = population or defaults.data_dir / POPULATION_FILE
    try:
        broker = BrokerSettings.parse(mqtt_url or defaults.mqtt_url, ca_file)
        found = _population(path, size, explicit=population is not None)
    except (BrokerUrlError, PopulationError) as error:
        raise click.UsageError(str(error)) from error
    lines = tuple(text for line in codes or () if (text := line.strip()))
    show = Console().is_terminal if live is None else live

    async def main() -> None:
        simulator = Simulator(
            found,
            broker,
            seed=seed,
            rate=rate,
            queue_folder=defaults.data_dir / QUEUE_FOLDER,
            codes=lines,
        )
        until = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, until.set)
        drawing = asyncio.create_task(_draw(simulator, until)) if show else None
        try:
            place = defaults.data_dir / control.SOCKET_NAME
            if not show:
                click.echo(f"{len(found)} virtual devices; control channel {place}", err=True)
            await simulator.run(until, place, Requests(simulator).handle)
        finally:
            until.set()
            if drawing is not None:
                await drawing

    try:
        asyncio.run(main())
    except control.ControlError as error:
        _fail(str(error))


async def _draw(simulator: Simulator, until: asyncio.Event) -> None:
    console = Console(force_terminal=True)  # asked for by name, or standard output is one
    with Live(_table(simulator.rows()), console=console, auto_refresh=False) as view:
        while not until.is_set():
            view.update(_table(simulator.rows()), refresh=True)
            try:
                await asyncio.wait_for(until.wait(), _REDRAW_SECONDS)
            except TimeoutError:
                continue


def _words(state: dict[str, object]) -> str:
    return ", ".join(f"{name} {value}" for name, value in state.items() if value not in ("", None))


def _table(rows: list[Row]) -> Table:
    table = Table(box=None, pad_edge=False)
    for name in ("device", "kind", "status", "last event", "last command", "unanswered", "ms"):
        table.add_column(name, no_wrap=True, justify="right" if name == "ms" else "left")
    table.add_column("state")
    for row in rows:
        online = row.status == "online"
        table.add_row(
            row.name,
            row.kind.value,
            f"[{'green' if online else 'red'}]{row.status}",
            row.last_event,
            row.last_command,
            str(row.waiting or ""),
            f"{row.milliseconds:.1f}" if row.milliseconds is not None else "",
            _words(row.view),
        )
    return table


def _fail(message: str) -> None:
    click.echo(message, err=True)
    raise SystemExit(FAILED)


def _ask(defaults: Defaults, request: control.Request) -> control.Answer:
    answer: control.Answer = {}
    try:
        answer = control.ask(defaults.data_dir / control.SOCKET_NAME, request)
    except control.ControlError as error:
        _fail(str(error))
    if not answer.get("ok"):
        _fail(f"{answer.get('error')}: {answer.get('detail')}")
    return answer


def _print(answer: dict[str, Any], as_json: bool, text: str) -> None:
    click.echo(json.dumps(answer, ensure_ascii=False) if as_json else text)


_json = click.option("--json", "as_json", is_flag=True, help="Answer as JSON.")


@click.command()
@_json
@click.pass_obj
def devices(defaults: Defaults, as_json: bool) -> None:
    """List the devices of the running simulator."""
    answer = _ask(defaults, {"op": "list"})
    if as_json:
        click.echo(json.dumps(answer["devices"], ensure_ascii=False, indent=2))
        return
    table = Table(box=None, pad_edge=False)
    for name in ("device", "title", "kind", "status", "state"):
        table.add_column(name, no_wrap=name != "state")
    for row in answer["devices"]:
        table.add_row(row["device"], row["title"], row["kind"], row["status"], _words(row["state"]))
    Console().print(table)


@click.command()
@click.argument("device")
@click.option("--image", type=click.File("rb"), help="Picture with a QR code; - is standard input.")
@click.option("--code", help="The code's text, instead of a picture.")
@click.option("--body-temperature", type=float, help="Of the person at the gate, in °C.")
@_json
@click.pass_obj
def scan(
    defaults: Defaults,
    *,
    device: str,
    image: IO[bytes] | None,
    code: str | None,
    body_temperature: float | None,
    as_json: bool,
) -> None:
    """Show a picture or a code to the gate DEVICE and wait for the decision."""
    if (image is None) == (code is None):
        raise click.UsageError("give either --image or --code")
    request: control.Request = {"op": "scan", "device": device}
    if image is not None:
        request["image"] = base64.b64encode(image.read()).decode("ascii")
    else:
        request["code"] = code
    if body_temperature is not None:
        request["body_temperature"] = body_temperature
    answer = _ask(defaults, request)
    decision = str(answer["decision"])
    _print(
        answer, as_json, f"{decision} ({answer['reason']}) after {answer['milliseconds']:.1f} ms"
    )
    raise SystemExit({"unlock": ALLOWED, "refuse": REFUSED}.get(decision, NO_ANSWER))


@click.command()
@click.argument("device")
@click.option("--cancel", is_flag=True, help="Take the alarm back.")
@click.option("--test", is_flag=True, help="A test: no one is alarmed.")
@_json
@click.pass_obj
def press(defaults: Defaults, device: str, cancel: bool, test: bool, as_json: bool) -> None:
    """Press the alarm button DEVICE; exit 3 when the portal has not acknowledged it in time."""
    answer = _ask(defaults, {"op": "press", "device": device, "cancel": cancel, "test": test})
    if not answer["sent"]:
        _print(answer, as_json, "there is no alarm to cancel")
        raise SystemExit(REFUSED)
    if answer["acknowledged"]:
        _print(answer, as_json, f"acknowledged after {answer['milliseconds']:.1f} ms")
        return
    _print(answer, as_json, "not acknowledged yet; the button repeats it until it is")
    raise SystemExit(NO_ANSWER)


@click.command()
@click.argument("device")
@click.option("--forced", is_flag=True, help="Open it without the lock's leave.")
@_json
@click.pass_obj
def door(defaults: Defaults, device: str, forced: bool, as_json: bool) -> None:
    """Leave by the gate DEVICE, or force it."""
    answer = _ask(defaults, {"op": "open_door", "device": device, "forced": forced})
    _print(answer, as_json, _words(answer["state"]))


@click.command()
@click.argument("device")
@click.option("--temperature", type=float, help="The person's temperature in °C; drawn by default.")
@_json
@click.pass_obj
def measure(defaults: Defaults, device: str, temperature: float | None, as_json: bool) -> None:
    """Measure a person with the thermometer DEVICE."""
    answer = _ask(defaults, {"op": "measure", "device": device, "temperature": temperature})
    _print(answer, as_json, _words(answer["state"]))


@click.command()
@click.argument("device")
@click.argument("compartment", type=int)
@click.option("--occupied/--empty", default=True, show_default=True, help="Leave a parcel inside.")
@_json
@click.pass_obj
def close(defaults: Defaults, device: str, compartment: int, occupied: bool, as_json: bool) -> None:
    """Close the door of a COMPARTMENT of the locker DEVICE, as a courier or a resident does."""
    request = {"op": "close_compartment", "device": device, "compartment": compartment}
    answer = _ask(defaults, {**request, "occupied": occupied})
    _print(answer, as_json, _words(answer["state"]))


@click.command()
@click.argument("device")
@click.argument("compartment", type=int)
@_json
@click.pass_obj
def pry(defaults: Defaults, device: str, compartment: int, as_json: bool) -> None:
    """Open a COMPARTMENT of the locker DEVICE by force."""
    request = {"op": "pry_compartment", "device": device, "compartment": compartment}
    answer = _ask(defaults, request)
    _print(answer, as_json, _words(answer["state"]))


@click.command("power-cut")
@click.argument("device")
@_json
@click.pass_obj
def power_cut(defaults: Defaults, device: str, as_json: bool) -> None:
    """Let the power of the locker DEVICE fail and come back: it reports each compartment as it is."""
    answer = _ask(defaults, {"op": "power_cut", "device": device})
    _print(answer, as_json, _words(answer["state"]))


simulate = simulate_group()
