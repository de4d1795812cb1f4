"""What a person writes down: refused with field, value and remedy, and secrets stay secret."""

from __future__ import annotations

import json
import pickle

import msgspec
import pytest

from titrant import ConfigurationError
from titrant_adapters.shape import Config, Port, Seconds, Secret, Setting, bad


class Example(Config):
    host: str
    port: Port = 5025
    timeout_s: Seconds = 2.0
    password: Secret | None = None
    settings: dict[str, Setting] = msgspec.field(default_factory=dict)

    def check(self):
        if self.host == "0.0.0.0":
            raise bad("host", self.host, "name the instrument's own address")


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({}, "missing required field `host`"),
        ({"host": 5}, r"host is 5: expected `str`"),
        ({"host": "a", "port": 0}, r"port is 0: .* \(give a port, 1 to 65535\)"),
        ({"host": "a", "timeout_s": float("inf")}, "timeout_s is inf: give a finite number"),
        ({"host": "a", "timeout_s": -1}, r"timeout_s is -1.*\(give seconds, more than 0\)"),
        ({"host": "a", "prot": 1}, "there is no field 'prot': did you mean 'port'"),
        ({"host": "0.0.0.0"}, "host is '0.0.0.0': name the instrument's own address"),
        ({"host": "a", "settings": {"v": {"to": "V", "unit": "volts"}}}, r"settings.*'volts' is no unit known here"),
    ],
)
def test_a_wrong_field_is_named_with_its_value_and_the_remedy(fields, told):
    with pytest.raises(ConfigurationError, match=told):
        Example.read(fields)


def test_one_made_in_python_is_checked_as_well():
    with pytest.raises(ConfigurationError, match="port is 70000"):
        Example(host="a", port=70_000)


def test_a_secret_is_shown_by_nothing():
    config = Example.read({"host": "a", "password": "hunter2"})

    assert "hunter2" not in f"{config!r} {config} {config.password!s}"
    with pytest.raises(TypeError):
        msgspec.json.encode(config)
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(config.password)
    assert config.password.reveal() == "hunter2"


def test_a_secret_of_a_wrong_type_is_not_shown_either():
    with pytest.raises(ConfigurationError, match="password") as told:
        Example.read({"host": "a", "password": 12345})

    assert "12345" not in str(told.value)


def test_a_secret_may_be_elsewhere(monkeypatch, tmp_path):
    monkeypatch.setenv("LAB_PASSWORD", "from the environment")
    (tmp_path / "password").write_text("from a file\n")

    assert Secret("env:LAB_PASSWORD").reveal() == "from the environment"
    assert Secret(f"file:{tmp_path / 'password'}").reveal() == "from a file"


@pytest.mark.parametrize("place", ["env:NOT_SET_ANYWHERE", "file:/not/there"])
def test_a_secret_that_is_not_there_is_told(place):
    with pytest.raises(ConfigurationError, match=r"NOT_SET_ANYWHERE is not set|cannot be read"):
        Secret(place).reveal()


def test_the_schema_tells_bounds_and_keeps_passwords_hidden():
    described = json.dumps(Example.schema())

    assert '"maximum": 65535' in described
    assert '"format": "password"' in described
    assert '"additionalProperties": false' in described
