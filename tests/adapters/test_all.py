"""What holds of every adapter that is registered: none can be added without it.

What cannot work is told before the first trial: fields, units, parameters that go nowhere, a host that is not there, a
library that is not installed, a permission that is not given.
"""

from __future__ import annotations

import json
import pickle
import re
import sys
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
from tests.adapters.canned import canned
from tests.adapters.registry import FEWEST, FEWEST_OF_METRICS, PROJECT, adapter, registered

from titrant import AsyncClient, ConfigurationError, RangeParameterConfig
from titrant.errors import TitrantError
from titrant.model.space import search_space
from titrant_adapters.shape.http import HTTP_ERRORS, HttpConfig

HERE = Path(__file__).parent
SHORT = {"timeout_s": 0.3, "connect_timeout_s": 0.3, "poll_s": 0.01}
CLOSED = "127.0.0.1:1"
NO_USERS = "the protocol knows no users: whoever reaches the port may do everything"


class Bad(msgspec.Struct, kw_only=True):
    """What cannot work with an adapter.

    Attributes:
        to: Where a setting goes, in its own words; None with ``no_settings``.
        with_to: Fields that such a setting needs beside it.
        no_settings: Why it has none.
        nowhere: Fields that lead to where nobody is, and what is told of them.
        hidden: The library that its extra brings; empty where there is none.
        denied: Fields that it has no permission for, and what is told; or the test, or the reason why there is none.
    """

    to: str | int | None = "x"
    with_to: dict[str, Any] = {}
    no_settings: str = ""
    nowhere: tuple[dict[str, Any], str]
    hidden: str = ""
    denied: tuple[dict[str, Any], str] | str


SUPPLY = FEWEST["scpi"] | {"host": "127.0.0.1", "port": 1, "settings": {"x": {"to": "VOLT"}}}
UNREADABLE = "it is no folder that can be used here"
LOCKED_OUT: tuple[dict[str, Any], str] = ({}, "a token or a header")
HTTP = ({"url": f"http://{CLOSED}"}, f"http://{CLOSED}")
BAD = {
    "sila": Bad(
        nowhere=({"host": "127.0.0.1", "port": 1, "tls": False}, CLOSED),
        hidden="sila.client",
        denied=({"host": "127.0.0.1", "port": 1, "certificate": "/proc/lab.pem"}, "certificate is '/proc/lab.pem'"),
    ),
    "opcua": Bad(
        nowhere=({"url": f"opc.tcp://{CLOSED}"}, CLOSED),
        hidden="asyncua",
        denied="test_who_may_not_log_in_is_told_before_the_first_trial",
    ),
    "epics": Bad(
        nowhere=({"prefix": "NOBODY:"}, "NOBODY:"),
        hidden="aioca",
        denied="test_a_variable_that_may_not_be_written_is_told_before_the_first_trial",
    ),
    "ophyd": Bad(
        nowhere=({"devices": "no_such_module:devices"}, "devices is 'no_such_module:devices'"),
        hidden="ophyd_async.core",
        denied="devices connect by protocols of their own, and tell of permissions as those do",
    ),
    "scpi": Bad(nowhere=({"host": "127.0.0.1", "port": 1}, CLOSED), denied=NO_USERS),
    "visa": Bad(
        nowhere=({"resource": "TCPIP0::127.0.0.1::1::SOCKET"}, "TCPIP0::127.0.0.1::1::SOCKET"),
        hidden="pyvisa",
        denied="VISA has no word for permissions: what may not be opened is not found",
    ),
    "pymeasure": Bad(
        nowhere=({"driver": "no_such_module:Driver"}, "there is no driver"),
        hidden="pymeasure.instruments",
        denied="VISA has no word for permissions: what may not be opened is not found",
    ),
    "serial": Bad(
        nowhere=({"port": "/dev/no-such-port"}, "/dev/no-such-port"),
        hidden="serialx",
        denied="test_a_port_that_may_not_be_opened_is_told_before_the_first_trial",
    ),
    "modbus": Bad(to=4, nowhere=({"host": "127.0.0.1", "port": 1}, CLOSED), hidden="pymodbus.client", denied=NO_USERS),
    "mqtt": Bad(
        with_to={"command": {"topic": "a", "json": {"id": "{key}", "x": "{x}"}}},
        nowhere=({"host": "127.0.0.1", "port": 1}, CLOSED),
        hidden="aiomqtt",
        denied="test_a_broker_that_does_not_want_us_is_told_without_the_password",
    ),
    "opentrons": Bad(
        with_to={"commands": [{"do": "aspirate", "params": {"volume": "{x}"}}]},
        nowhere=HTTP,
        denied=LOCKED_OUT,
    ),
    "madsci": Bad(nowhere=HTTP, denied=LOCKED_OUT),
    "flowchem": Bad(to="/r4/reactor1/temperature?temp", nowhere=HTTP, denied=LOCKED_OUT),
    "pylabrobot": Bad(
        to="stock[A1]",
        nowhere=({"bench": "no_such_module:bench"}, "bench is 'no_such_module:bench'"),
        hidden="pylabrobot.resources",
        denied=(
            {
                "bench": "tests.adapters.servers.plate:Bench",
                "plate": "plate",
                "tips": ["tips"],
                "book": "/proc/sys/book",
            },
            UNREADABLE,
        ),
    ),
    "rest": Bad(
        with_to={"start": {"method": "POST", "path": "/x", "json": {"x": "{x}"}}},
        nowhere=HTTP,
        denied=LOCKED_OUT,
    ),
    "file_drop": Bad(
        nowhere=({"orders": "/nowhere/in"}, UNREADABLE),
        denied=({"orders": "/proc/sys"}, UNREADABLE),
    ),
    "chemspeed": Bad(
        to="T_C", nowhere=({"folder": "/nowhere"}, UNREADABLE), denied=({"folder": "/proc/sys"}, UNREADABLE)
    ),
    "shell": Bad(
        nowhere=({"command": ["no-such-program"]}, "there is no program no-such-program here"),
        denied=({"runs": "/proc/runs"}, UNREADABLE),
    ),
    "slurm": Bad(
        nowhere=({"PATH": ""}, "there is no sbatch"),
        denied="test_what_cannot_be_submitted_is_told_before_the_first_trial",
    ),
    "dask": Bad(
        nowhere=({"scheduler": f"tcp://{CLOSED}"}, CLOSED),
        hidden="distributed",
        denied="a scheduler without certificates asks nobody who he is",
    ),
    "callable": Bad(
        to=None,
        no_settings="a function gets all parameters by their names",
        nowhere=({"function": "no_such_module:f"}, "it cannot be imported"),
        denied="a function of this process may do what this process may",
    ),
    "workcell": Bad(
        to=None,
        no_settings="its steps have them, each in the words of its own adapter",
        nowhere=(
            {"steps": [{"name": "s", "use": "scpi", "with": SUPPLY}]},
            CLOSED,
        ),
        denied="its steps have permissions, each in the words of its own adapter",
    ),
}
NAMES = sorted(registered("runners"))
METRICS = sorted(registered("metrics"))
ALL = [("runners", name) for name in NAMES] + [("metrics", name) for name in METRICS]


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture(autouse=True)
def nobody_else(epics_search):
    """EPICS looks for its variables on all networks, unless it is told not to."""


def fewest(group, name):
    return FEWEST[name] if group == "runners" else FEWEST_OF_METRICS[name]


def made(group, name, **fields):
    """An adapter that waits for nothing long."""
    kind = adapter(group, name)
    known = kind.config_type.__struct_fields__
    given = fewest(group, name) | {field: value for field, value in SHORT.items() if field in known} | fields
    return kind(**given) if group == "runners" else kind("y", **given)


def with_setting(name, **more):
    """An adapter with one setting that is sound but for *more*."""
    case = BAD[name]
    return made("runners", name, **case.with_to, settings={"x": {"to": case.to} | more})


HAVE_SETTINGS = [name for name in NAMES if name not in BAD or BAD[name].to is not None]


def test_every_adapter_says_what_cannot_work_with_it():
    assert BAD.keys() == FEWEST.keys() == set(NAMES)
    assert FEWEST_OF_METRICS.keys() == set(METRICS)
    assert [name for name in NAMES if BAD[name].to is None and len(BAD[name].no_settings.split()) < 4] == []


# --- what is written down ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("group", "name"), ALL)
def test_its_schema_is_one_and_takes_what_it_takes(group, name):
    kind = adapter(group, name).config_type
    schema = kind.schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    plain = json.loads(json.dumps(fewest(group, name)))

    validator.validate(plain)
    assert not validator.is_valid(plain | {"no_such_field": 1})
    assert set(schema["$defs"][kind.__name__]["properties"]) == set(kind.__struct_fields__)


@pytest.mark.parametrize(("group", "name"), ALL)
def test_every_field_is_told_what_it_is_for(group, name):
    kind = adapter(group, name).config_type
    told = "".join(one.__doc__ or "" for one in kind.__mro__)

    assert [field for field in kind.__struct_fields__ if not re.search(rf"\n\s+{field}:", told)] == []


@pytest.mark.parametrize(("group", "name"), ALL)
def test_a_field_that_it_does_not_have_is_refused(group, name):
    with pytest.raises(ConfigurationError, match="there is no field 'colour'"):
        made(group, name, colour="red")


@pytest.mark.parametrize(("group", "name"), ALL)
def test_a_field_that_is_missing_is_named(group, name):
    kind = adapter(group, name)
    required = [one.name for one in msgspec.structs.fields(kind.config_type) if one.required]
    for field in required:
        given = {key: value for key, value in fewest(group, name).items() if key != field}
        with pytest.raises(ConfigurationError, match=field):
            kind(**given) if group == "runners" else kind("y", **given)

    assert required


@pytest.mark.parametrize("name", HAVE_SETTINGS)
def test_units_that_are_none_or_do_not_fit_are_refused(name):
    with pytest.raises(ConfigurationError, match="'furlong' is no unit known here"):
        with_setting(name, unit="furlong")
    with pytest.raises(ConfigurationError, match=r"mL \(volume\) cannot be sent in s \(time\)"):
        with_setting(name, unit="mL", sent_in="s")


@pytest.mark.parametrize("name", HAVE_SETTINGS)
def test_a_parameter_that_goes_nowhere_is_refused(name):
    space = search_space([RangeParameterConfig("x", (0, 1)), RangeParameterConfig("gas", (0, 1))])
    with pytest.raises(ConfigurationError, match="nothing says how 'gas' reaches the instrument"):
        with_setting(name).check_space(space)


# --- what is never told, and what is always understood ----------------------------------------------------------------

SECRET = "hush-hush-81"


def secrets_in(group, name):
    """Fields that hold secrets, each filled with one."""
    kind = adapter(group, name).config_type
    properties = kind.schema()["$defs"][kind.__name__]["properties"]
    found = {field: json.dumps(told) for field, told in properties.items() if '"password"' in json.dumps(told)}
    return {field: {"A.B": SECRET} if '"additionalProperties"' in told else SECRET for field, told in found.items()}


WITH_SECRETS = [one for one in ALL if secrets_in(*one)]


def test_some_adapters_have_secrets():
    assert {"rest", "mqtt", "sila", "opcua", "shell"} <= {name for _, name in WITH_SECRETS}


@pytest.mark.anyio
@pytest.mark.parametrize(("group", "name"), WITH_SECRETS)
async def test_a_secret_is_told_by_nothing(group, name, tmp_path):
    nowhere = {"host": "127.0.0.1", "port": 1, "runs": str(tmp_path), "url": BAD["opcua"].nowhere[0]["url"]}
    nowhere |= {"url": f"http://{CLOSED}"} if name != "opcua" else {}
    fields = {one: value for one, value in nowhere.items() if one in adapter(group, name).config_type.__struct_fields__}
    one = made(group, name, **fields | secrets_in(group, name))
    told = [repr(one), repr(vars(one)), repr(one.config), str(await one.probe())]

    assert [text for text in told if SECRET in text] == []
    with pytest.raises(TypeError):
        msgspec.json.encode(one.config)
    with pytest.raises(TypeError, match="a Secret is not pickled"):
        pickle.dumps(one.config)


@pytest.mark.parametrize(("group", "name"), ALL)
def test_every_name_in_its_table_of_errors_leads_to_a_class(group, name):
    errors = adapter(group, name).errors
    for text in errors.own:
        with suppress(ImportError):  # told as dangling
            import_module(text.rpartition(".")[0])

    assert errors.dangling() == []


@pytest.mark.parametrize("name", [name for name in NAMES if name in BAD and BAD[name].hidden])
def test_every_error_of_its_library_is_held_against_the_table(name):
    assert ".errors.unlisted(" in (HERE / f"test_{name}.py").read_text(encoding="utf-8")


@pytest.mark.parametrize(("group", "name"), ALL)
def test_what_speaks_http_understands_all_that_httpx_raises(group, name):
    kind = adapter(group, name)

    assert not issubclass(kind.config_type, HttpConfig) or kind.errors.own.items() >= HTTP_ERRORS.items()


# --- what is met on the way -------------------------------------------------------------------------------------------


async def begun(runner):
    """Begin an experiment; gives why there was no trial."""
    async with AsyncClient(random_seed=1) as client:
        await client.configure_experiment([RangeParameterConfig("x", (0.0, 3.0))])
        await client.configure_optimization("y")
        await client.configure_runner(runner)
        with pytest.raises(TitrantError) as told:
            await client.run_trials(max_trials=1, progress=False)

        assert client.state.next_index == 0
    return str(told.value)


def unfit(name, fields):
    """A runner with a sound setting and *fields*, or the error that making it is."""
    case = BAD[name]
    settings = {"settings": {"x": {"to": case.to}}} if case.to is not None else {}
    return made("runners", name, **case.with_to | settings | fields)


@pytest.mark.anyio
@pytest.mark.parametrize("name", NAMES)
async def test_where_nobody_is_no_trial_begins(name, monkeypatch):
    fields, told = BAD[name].nowhere
    if "PATH" in fields:
        monkeypatch.setenv("PATH", fields["PATH"])
        fields = {}
    try:
        said = await begun(unfit(name, fields))
    except ConfigurationError as exc:  # as it was made, or configured
        said = str(exc)

    assert told in said


@pytest.mark.anyio
@pytest.mark.parametrize("name", [name for name in NAMES if name in BAD and BAD[name].hidden])
async def test_the_extra_that_is_missing_is_named(name, monkeypatch):
    monkeypatch.setitem(sys.modules, BAD[name].hidden, None)
    extra = re.escape(f"pip install 'titrant[{EXTRAS.get(name, name)}]'")

    assert re.search(extra, await begun(unfit(name, {})))


EXTRAS = {"pymeasure": "visa"}


def test_every_extra_is_hidden_once():
    extras = {EXTRAS.get(name, name) for name, one in BAD.items() if one.hidden}
    section = PROJECT.split("[project.optional-dependencies]")[1].split("\n[")[0]

    assert all(re.search(rf"(?m)^{extra} = \[", section) for extra in extras)


class Locked(dict):
    """Answers of a service that lets nobody in."""

    def get(self, _head, _default=None):
        return 401, {"detail": "who are you?"}


@pytest.mark.anyio
@pytest.mark.parametrize("name", [name for name in NAMES if name in BAD and isinstance(BAD[name].denied, tuple)])
async def test_who_is_not_let_in_begins_no_trial(name):
    fields, told = BAD[name].denied
    if fields:
        said = await begun(unfit(name, fields))
    else:
        async with canned(Locked()) as service:
            said = await begun(unfit(name, {"url": service.url}))

    assert told in said


@pytest.mark.parametrize("name", [name for name in NAMES if name in BAD and isinstance(BAD[name].denied, str)])
def test_of_other_permissions_there_is_a_test_or_a_reason(name):
    denied = BAD[name].denied
    found = denied.startswith("test_") and f"def {denied}(" in (HERE / f"test_{name}.py").read_text(encoding="utf-8")

    assert found or len(denied.split()) >= 4
