"""Where unpacked packages are looked for, and which count."""

from pathlib import Path

import pytest

from mqtt.unpacked import cache_folder, find_unpacked


def _unpack(cache: Path, package: str, *names: str, complete: bool = True) -> Path:
    root = cache / "system" / package
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("#!/bin/sh\n", encoding="utf-8")
        path.chmod(0o755)
    if complete:
        (root / "unpacked.txt").write_text(f"{package}.deb\n", encoding="utf-8")
    return root


def test_a_package_unpacked_half_does_not_count(tmp_path: Path) -> None:
    _unpack(tmp_path, "mosquitto", "usr/sbin/mosquitto", complete=False)
    assert find_unpacked("mosquitto", tmp_path) is None


def test_programs_and_libraries_are_found_by_name(tmp_path: Path) -> None:
    root = _unpack(
        tmp_path,
        "zbar",
        "usr/bin/tool",
        "usr/lib/aarch64-linux-gnu/libzbar.so.0",
        "usr/lib/aarch64-linux-gnu/libzbar.so.0.3.0",
        "lib/x86_64-linux-gnu/libdbus-1.so.3",
        "usr/lib/x86_64-linux-gnu/plugin.so",
    )
    found = find_unpacked("zbar", tmp_path)
    assert found is not None
    assert found.program("tool") == root / "usr/bin/tool"
    assert found.program("other") is None
    assert found.library("libzbar.so.0") == root / "usr/lib/aarch64-linux-gnu/libzbar.so.0"
    assert found.library("libzbar.so.1") is None
    assert {path.name for path in found.shared_objects()} == {
        "libdbus-1.so.3",
        "libzbar.so.0",
        "libzbar.so.0.3.0",
    }


def test_the_cache_folder_is_the_one_chosen(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LINLI_CACHE_DIR", str(tmp_path))
    assert cache_folder() == tmp_path


def test_a_checkout_keeps_its_cache_to_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LINLI_CACHE_DIR", raising=False)
    assert cache_folder().name == ".cache"
    assert (cache_folder().parent / "pyproject.toml").is_file()


def test_an_installed_linli_uses_the_persons_cache(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("LINLI_CACHE_DIR", raising=False)
    monkeypatch.setattr("mqtt.unpacked._CHECKOUT", tmp_path / "site-packages")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert cache_folder() == tmp_path / "cache" / "linli"
