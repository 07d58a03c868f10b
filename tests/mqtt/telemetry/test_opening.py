"""Store URLs: every form is read, every mistake is named, no secret is told."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mqtt.telemetry import StoreUrlError, masked, open_store
from mqtt.telemetry.embedded import EmbeddedStore
from mqtt.telemetry.influx import InfluxStore, Place
from mqtt.telemetry.victoria import VictoriaStore


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite:///data/t.db", "data/t.db"),
        ("sqlite:////srv/linli/t.db", "/srv/linli/t.db"),
        ("sqlite:////srv/with%20space/t.db?max_mb=5", "/srv/with space/t.db"),
    ],
)
def test_sqlite_urls_name_a_file(url: str, path: str) -> None:
    store = open_store(url)
    assert isinstance(store, EmbeddedStore)
    assert store.path == Path(path)


@pytest.mark.parametrize(
    ("url", "base", "secret", "place"),
    [
        ("influxdb+v1://h/db", "http://h:8086", "", Place("db")),
        (
            "influxdb+v1://me:p%40ss@h:99/db?rp=short&tls=true",
            "https://h:99",
            "me:p@ss",
            Place("db", "short"),
        ),
        (
            "influxdb://tok%3Aen@h/org/bucket",
            "http://h:8086",
            "tok:en",
            Place("bucket", "", "bucket"),
        ),
        (
            "influxdb://tkn1@[::1]:8/org/db%2Frp",
            "http://[::1]:8",
            "tkn1",
            Place("db", "rp", "db/rp"),
        ),
        ("influxdb://tkn1@h/org/b?db=d&rp=r", "http://h:8086", "tkn1", Place("d", "r", "b")),
    ],
)
def test_influxdb_urls_name_server_and_place(
    url: str, base: str, secret: str, place: Place
) -> None:
    with open_store(url) as store:
        assert isinstance(store, InfluxStore)
        address = store._server.address
        assert (address.base, address.secret, store._place) == (base, secret, place)
        assert not secret or secret not in repr(address)


def test_victoria_urls_name_a_server() -> None:
    with open_store("victoria://h?timeout_ms=500") as store:
        assert isinstance(store, VictoriaStore)
        assert store._server.address.base == "http://h:8428"
        assert store._server.address.timeout_ms == 500


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "scheme"),
        ("/srv/t.db", "scheme"),
        ("mysql://topsecret@h/d", "scheme"),
        ("sqlite://t.db", "three slashes"),
        ("sqlite:///", "file is missing"),
        ("sqlite:///t.db?max_mb=-1", "max_mb"),
        ("sqlite:///t.db?cache=1", "unknown option 'cache'"),
        ("influxdb+v1://h", "one database"),
        ("influxdb+v1://h/a/b", "one database"),
        ("influxdb+v1:///db", "host is missing"),
        ("influxdb+v1://me@h/db", "user and password"),
        ("influxdb+v1://me:topsecret@h:port/db", "host or port"),
        ("influxdb+v1://me:topsecret@h:70000/db", "host or port"),
        ("influxdb+v1://h/db?tls=maybe", "tls must be true or false"),
        ("influxdb+v1://h/db?rp=a&rp=b", "given twice"),
        ("influxdb+v1://me:top#secret@h/db", "%23"),
        ("influxdb://h/org/bucket", "TOKEN@"),
        ("influxdb://top:secret@h/org/bucket", "%3A"),
        ("influxdb://topsecret@h/bucket", "ORGANISATION/BUCKET"),
        ("victoria://h/path", "takes no path"),
        ("victoria://h?timeout_ms=soon", "timeout_ms"),
    ],
)
def test_a_mistake_is_named_and_no_secret_told(url: str, words: str) -> None:
    with pytest.raises(StoreUrlError, match=words.replace("?", r"\?")) as caught:
        open_store(url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("sqlite:////srv/t.db", "sqlite:////srv/t.db"),
        ("influxdb+v1://me:pass@h:1/db?rp=x", "influxdb+v1://me:***@h:1/db?rp=x"),
        ("influxdb://token@h/org/b", "influxdb://***@h/org/b"),
        ("victoria://h:8428", "victoria://h:8428"),
    ],
)
def test_masked_urls_show_all_but_the_secret(url: str, shown: str) -> None:
    assert masked(url) == shown


@given(st.text(max_size=60) | st.from_regex(r"(influxdb|victoria|sqlite)://.{0,40}"))
def test_any_text_is_either_a_store_or_one_error(url: str) -> None:
    try:
        open_store(url).close()
    except StoreUrlError:
        return
    assert "://" in url
