"""The shell scripts that prepare a machine, with stand-ins for the programs they call."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parents[2] / "provisioning" / "system"
TOOLS = (
    "bash",
    "dirname",
    "cat",
    "mkdir",
    "mktemp",
    "mv",
    "rm",
    "awk",
    "id",
    "flock",
    "wc",
    "grep",
)

APT_GET = r"""#!/bin/bash
# -s install: two packages would come; download: a file for each, once `update` was called if
# FRESH_LISTS_ONLY is set; update: leaves a mark.
words="$*"
echo "$words" >>"$CALLS"
case "$words" in
*" update") touch "$CALLS.updated" ;;
*" -s "*) printf 'Inst libdep1 (1.0)\nInst %s (1.0)\nConf libdep1\n' "${@: -1}" ;;
*" download "*)
  if [ -n "$FRESH_LISTS_ONLY" ] && [ ! -e "$CALLS.updated" ]; then exit 100; fi
  for last in "${@: -2}"; do : >"${last}_1.0_amd64.deb"; done
  ;;
esac
"""
DPKG_DEB = r"""#!/bin/bash
[ -z "$BROKEN_PACKAGE" ] || [[ "$2" != *"$BROKEN_PACKAGE"* ]] || exit 2
mkdir -p "$3/usr/lib" && echo "$2" >"$3/usr/lib/$(basename "$2" _1.0_amd64.deb)"
"""


def _program(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)
    return path


@pytest.fixture
def machine(tmp_path: Path) -> dict[str, str]:
    """The environment of a machine that has the tools named above and no apt."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in (*TOOLS, "basename", "touch", "date", "sed"):
        found = shutil.which(tool)
        assert found, tool
        (folder / tool).symlink_to(found)
    return {
        "PATH": str(folder),
        "LINLI_CACHE_DIR": str(tmp_path / "cache"),
        "CALLS": str(tmp_path / "calls"),
        "FRESH_LISTS_ONLY": "",
        "BROKEN_PACKAGE": "",
    }


@pytest.fixture
def debian(machine: dict[str, str]) -> dict[str, str]:
    """The same with stand-ins for apt-get and dpkg-deb."""
    _program(Path(machine["PATH"]) / "apt-get", APT_GET)
    _program(Path(machine["PATH"]) / "dpkg-deb", DPKG_DEB)
    return machine


def _run(
    script: str, *arguments: str, env: dict[str, str], cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(SCRIPTS / script), *arguments],
        env=env,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


# --- packages.sh -----------------------------------------------------------------------------


def test_an_unknown_group_is_refused(machine: dict[str, str]) -> None:
    answer = _run("packages.sh", "install", "everything", env=machine)
    assert answer.returncode == 2
    assert "no such group: everything" in answer.stderr


def test_without_apt_unpacking_is_refused_in_plain_words(machine: dict[str, str]) -> None:
    answer = _run("packages.sh", "unpack", "mosquitto", env=machine)
    assert answer.returncode == 1
    assert "no apt on this machine: cannot unpack mosquitto" in answer.stderr


def test_a_package_is_unpacked_with_the_libraries_the_machine_lacks(
    debian: dict[str, str], tmp_path: Path
) -> None:
    answer = _run("packages.sh", "unpack", "some-broker", env=debian)
    assert answer.returncode == 0, answer.stderr
    root = tmp_path / "cache/system/some-broker"
    assert sorted((root / "unpacked.txt").read_text("utf-8").split()) == [
        "libdep1_1.0_amd64.deb",
        "some-broker_1.0_amd64.deb",
    ]
    assert {path.name for path in (root / "usr/lib").iterdir()} == {"libdep1", "some-broker"}
    assert {path.name for path in root.parent.iterdir()} == {"lock", "some-broker"}


def test_an_unpacked_package_is_not_fetched_again(debian: dict[str, str]) -> None:
    _run("packages.sh", "unpack", "some-broker", env=debian)
    calls = Path(debian["CALLS"]).read_text("utf-8")
    assert _run("packages.sh", "unpack", "some-broker", env=debian).returncode == 0
    assert Path(debian["CALLS"]).read_text("utf-8") == calls


def test_package_lists_that_no_longer_serve_are_fetched_anew(
    debian: dict[str, str], tmp_path: Path
) -> None:
    answer = _run("packages.sh", "unpack", "some-broker", env={**debian, "FRESH_LISTS_ONLY": "1"})
    assert answer.returncode == 0, answer.stderr
    assert (tmp_path / "cache/system/some-broker/unpacked.txt").exists()


def test_a_package_that_breaks_off_does_not_look_complete(
    debian: dict[str, str], tmp_path: Path
) -> None:
    answer = _run(
        "packages.sh", "unpack", "some-broker", "other", env={**debian, "BROKEN_PACKAGE": "broker"}
    )
    assert answer.returncode == 1
    assert "could not unpack some-broker" in answer.stderr
    assert {path.name for path in (tmp_path / "cache/system").iterdir()} == {"lock", "other"}
    assert (tmp_path / "cache/system/other/unpacked.txt").exists()


# --- environment.sh --------------------------------------------------------------------------

OLD_PYTHON = f"""#!{sys.executable}
import platform, sys
sys.version_info = (3, 9, 2)
platform.python_version = lambda: "3.9.2"
exec(sys.argv[2])
"""


def test_a_python_that_is_too_old_is_named_with_its_version(
    machine: dict[str, str], tmp_path: Path
) -> None:
    old = _program(tmp_path / "python3", OLD_PYTHON)
    answer = _run("environment.sh", "venv", env={**machine, "PYTHON": str(old)}, cwd=tmp_path)
    assert answer.returncode == 1
    assert f"needs Python 3.11 or newer; found only: {old}=3.9.2" in answer.stderr
    assert not (tmp_path / "venv").exists()


def test_a_machine_without_python_is_told_so(machine: dict[str, str], tmp_path: Path) -> None:
    answer = _run("environment.sh", "venv", env=machine, cwd=tmp_path)
    assert answer.returncode == 1
    assert "needs Python 3.11 or newer; none found" in answer.stderr


def test_a_missing_venv_module_is_named_with_its_package(
    machine: dict[str, str], tmp_path: Path
) -> None:
    text = f"#!{sys.executable}\nimport sys\nsys.modules['ensurepip'] = None\nexec(sys.argv[2])\n"
    bare = _program(tmp_path / "python3", text)
    answer = _run("environment.sh", "venv", env={**machine, "PYTHON": str(bare)}, cwd=tmp_path)
    assert answer.returncode == 1
    assert "apt-get install python3-venv" in answer.stderr


# --- step.sh ---------------------------------------------------------------------------------


def test_a_step_passes_output_and_exit_code_on() -> None:
    answer = _run("step.sh", "gate", "sh", "-c", "echo opened; exit 3", env=dict(os.environ))
    assert answer.returncode == 3
    assert answer.stdout == "opened\n"
    assert "gate: FAILED with exit code 3 in " in answer.stderr
