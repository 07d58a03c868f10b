from pathlib import Path

import pytest

from portal.config import Config, ConfigError, load


def origin(origins, key):
    return next(o for o in origins if o.key == key)


def test_without_anything_the_defaults_hold(tmp_path):
    config, origins = load({"LINLI_DATA_DIR": str(tmp_path)})
    assert config.http_port == 8080
    assert config.effective_database_url == f"sqlite:///{tmp_path}/linli.db"
    assert config.effective_public_url == "http://127.0.0.1:8080"
    assert config.embedded_broker
    assert origin(origins, "LINLI_HTTP_PORT").source == "default"
    assert origin(origins, "LINLI_DATA_DIR").source == "environment LINLI_DATA_DIR"


def test_the_environment_is_stronger_than_the_file(tmp_path):
    (tmp_path / "linli.toml").write_text('http_port = 9000\nlanguage = "en"\n')
    config, origins = load({"LINLI_DATA_DIR": str(tmp_path), "LINLI_HTTP_PORT": "9001"})
    assert (config.http_port, config.language) == (9001, "en")
    assert origin(origins, "LINLI_LANGUAGE").source == f"file {tmp_path / 'linli.toml'}"


def test_a_secret_may_stand_in_a_file_of_its_own(tmp_path):
    secret = tmp_path / "url"
    secret.write_text("postgresql://linli:hush@db.example/linli\n")
    config, origins = load(
        {"LINLI_DATA_DIR": str(tmp_path), "LINLI_DATABASE_URL_FILE": str(secret)}
    )
    assert config.effective_database_url == "postgresql+psycopg://linli:hush@db.example/linli"
    shown = origin(origins, "LINLI_DATABASE_URL").shown
    assert shown == "postgresql://linli:***@db.example/linli"


@pytest.mark.parametrize(
    "key",
    ["LINLI_DATABASE_URL", "LINLI_MQTT_URL", "LINLI_TELEMETRY_URL", "LINLI_MASTER_KEY"],
)
def test_no_secret_is_shown(tmp_path, key):
    values = {
        "LINLI_DATABASE_URL": "postgresql://u:sesame@h/d",
        "LINLI_MQTT_URL": "mqtts://u:sesame@h:8883",
        "LINLI_TELEMETRY_URL": "influxdb://sesame@h:8086/o/b",
        "LINLI_MASTER_KEY": "sesame",
    }
    _, origins = load({"LINLI_DATA_DIR": str(tmp_path), key: values[key]})
    assert "sesame" not in "".join(o.shown for o in origins)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("LINLI_HTTP_PORT", "eighty"),
        ("LINLI_HTTP_PORT", "0"),
        ("LINLI_MQTT_PORT", "70000"),
        ("LINLI_DATABASE_URL", "mysql://x/y"),
        ("LINLI_MQTT_URL", "http://x"),
        ("LINLI_MQTT_URL", "mqtt://host:port"),
        ("LINLI_TIMEZONE", "Mars/Olympus"),
        ("LINLI_LANGUAGE", "fr"),
        ("LINLI_PASS_SECONDS", "5"),
        ("LINLI_LOG_LEVEL", "loud"),
        ("LINLI_HTTP_PROT", "8080"),
        ("LINLI_SECRET_KEY_FILE", "/nowhere/at/all"),
    ],
)
def test_a_malformed_or_unknown_key_names_itself(tmp_path, key, value):
    with pytest.raises(ConfigError) as caught:
        load({"LINLI_DATA_DIR": str(tmp_path), key: value})
    assert caught.value.key == key
    assert str(caught.value).startswith(f"{key}: ")


@pytest.mark.parametrize("text", ["http_port = ", "[[[", "htpp_port = 1"])
def test_a_broken_file_names_itself(tmp_path, text):
    (tmp_path / "linli.toml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        load({"LINLI_DATA_DIR": str(tmp_path)})
    assert "linli.toml" in caught.value.key


def test_a_named_file_must_exist(tmp_path):
    with pytest.raises(ConfigError, match="LINLI_CONFIG"):
        load({"LINLI_DATA_DIR": str(tmp_path), "LINLI_CONFIG": str(tmp_path / "none.toml")})


def test_the_configuration_is_frozen():
    config = Config(data_dir=Path("x"))
    with pytest.raises(AttributeError):
        config.http_port = 1
