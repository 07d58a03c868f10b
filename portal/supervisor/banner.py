"""What `linli up` tells a person: where to click, how to sign in, what is taken, in Chinese and English."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import click

from mqtt.broker.embedded import BrokerPlan
from portal.config import Config
from portal.supervisor.first_start import Prepared
from portal.supervisor.ports import Taken

DEMO_ACCOUNTS: Final = "demo-accounts.json"
DEMO_FACTS: Final = "demo.json"
_LINE: Final = "─" * 78


def _title(text: str) -> str:
    return click.style(text, bold=True)


def facts(config: Config) -> dict[str, Any]:
    """What another `linli up` should be able to say about this one."""
    return {"portal": config.effective_public_url, "data": str(config.data_dir)}


def print_running(told: Mapping[str, Any]) -> None:
    """Somebody was first."""
    pid = told.get("pid", "?")
    where = told.get("portal", "")
    click.echo(f"Linli is already running here (pid {pid}) {where}".rstrip(), err=True)
    click.echo(f"邻里已经在这个数据目录运行（进程 {pid}）{where}", err=True)
    click.echo(
        "  Another one beside it: LINLI_DATA_DIR=… with other ports. Stop it: Ctrl-C there, or",
        err=True,
    )
    click.echo(f"  kill {pid}", err=True)


def print_taken(taken: Sequence[Taken], *, demo: bool) -> None:
    """A port cannot be had: which, by whom, and what to type instead."""
    start = "make run" if demo else f"{command()} up"
    settings: dict[str, int] = {}
    for one in taken:
        who = f" by {one.holder}" if one.holder else ""
        click.echo(
            f"Port {one.port.number} ({one.port.what}, {one.port.setting}) {one.reason}{who}.",
            err=True,
        )
        settings[one.port.setting] = one.free
    words = " ".join(f"{key}={value}" for key, value in settings.items())
    click.echo(f"端口被占用。请改用 / Try instead:\n  {words} {start}", err=True)


def print_prepared(config: Config, first: Prepared) -> None:
    """What the first start has made."""
    if first.migrated_from is None:
        click.echo(f"New data folder / 新建数据目录: {config.data_dir}", err=True)
    elif first.migrated_from != first.migrated_to:
        click.echo(f"Database {first.migrated_from} -> {first.migrated_to}", err=True)
    if first.seeded:
        click.echo("Demo community made / 已生成演示社区", err=True)
    click.echo("Starting / 正在启动 …", err=True)


def print_ready(
    config: Config, broker: BrokerPlan | None, *, demo: bool, waiting: Mapping[str, str]
) -> None:
    """Where to click and how to sign in."""
    base = config.effective_public_url
    lines = [_LINE]
    if waiting:
        names = ", ".join(waiting)
        lines.append(
            _title(f"Linli is up, but not ready: {names}   邻里已启动，但尚未就绪：{names}")
        )
        lines.append(f"  {command()} doctor says more")
    else:
        lines.append(_title("Linli is up   邻里已启动"))
    lines += ["", *_addresses(config, base, demo=demo)]
    accounts = demo_accounts(config.data_dir) if demo else []
    if accounts:
        lines += ["", _title("Sign in   登录账号")]
        role_width = max(len(str(a["role"])) for a in accounts)
        name_width = max(len(str(a["username"])) for a in accounts)
        for account in accounts:
            code = (
                f"  + {command()} demo code {account['username']}" if account["totp_secret"] else ""
            )
            lines.append(
                f"  {account['role']:<{role_width}}  {account['username']:<{name_width}}  "
                f"{account['password']}{code}"
            )
        lines.append(f"  in / 保存于 {config.path(DEMO_ACCOUNTS)}")
    lines += [
        "",
        f"Data 数据      {config.data_dir}",
        f"Logs 日志      {config.path('logs')}",
        f"Broker 消息    {_broker(config, broker)}",
    ]
    if broker is not None and broker.lacks:
        lines.append(
            click.style(
                f"  {broker.label} stands in for mosquitto, which was not found. It lacks 缺少:",
                fg="yellow",
            )
        )
        lines += [click.style(f"   - {lack}", fg="yellow") for lack in broker.lacks]
    lines += ["Stop 停止      Ctrl-C", _LINE]
    click.echo("\n".join(lines))
    sys.stdout.flush()


def _broker(config: Config, broker: BrokerPlan | None) -> str:
    if broker is None:
        return "LINLI_MQTT_URL"
    return f"{config.effective_mqtt_url}  ({broker.label})"


def command() -> str:
    """How `linli` is called from here: by its name, or by its path where PATH does not have it."""
    program = Path(sys.argv[0])
    if shutil.which("linli") or program.name != "linli":
        return "linli"
    try:
        return str(program.absolute().relative_to(Path.cwd()))
    except ValueError:
        return str(program)


def _addresses(config: Config, base: str, *, demo: bool) -> list[str]:
    rows = [("Portal 首页", f"{base}/")]
    facts = demo_facts(config.data_dir) if demo else {}
    uscc, courier = facts.get("uscc"), facts.get("courier_code")
    if uscc:
        rows.append(("Register 居民登记", f"{base}/r/{uscc}"))
    rows += [
        ("Sign in 登录", f"{base}/sign-in"),
        ("Workbench 工作台", f"{base}/work"),
        ("Passages 通行记录", f"{base}/work/passages"),
        *([("Courier 快递员", f"{base}/c/{courier}")] if courier else []),
        ("API", f"{base}/api/v1/openapi.json"),
        ("Metrics 指标", f"http://127.0.0.1:{config.metrics_port}/metrics"),
    ]
    width = max(_cells(name) for name, _ in rows)
    return [f"  {name}{' ' * (width - _cells(name))}  {url}" for name, url in rows]


def _cells(text: str) -> int:
    """Width on a terminal: Chinese characters take two cells."""
    return sum(2 if ord(char) > 0x2E80 else 1 for char in text)


def demo_accounts(data_dir: Path) -> list[dict[str, Any]]:
    """The demo's sign-ins; empty when there are none."""
    found = _read(data_dir / DEMO_ACCOUNTS)
    return found if isinstance(found, list) else []


def demo_facts(data_dir: Path) -> dict[str, Any]:
    """What the seed wrote down about the demo community."""
    found = _read(data_dir / DEMO_FACTS)
    return found if isinstance(found, dict) else {}


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None
