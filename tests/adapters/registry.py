"""Which adapters there are, and the fewest fields that each of them takes; what holds of all is tested over these."""

import re
from importlib import import_module
from pathlib import Path

PROJECT = (Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8")


def registered(group):
    """Names in pyproject, as the environment may hold older ones."""
    section = re.search(rf'\[project\.entry-points\."titrant\.{group}"\]\n(.*?)\n\n', PROJECT, re.DOTALL)
    return dict(re.findall(r'^(\w+) = "(.+)"$', section[1], re.MULTILINE))


def adapter(group, name):
    """The class behind an entry point."""
    module, _, attribute = registered(group)[name].partition(":")
    return getattr(import_module(module), attribute)


GET, POST = {"path": "/x"}, {"method": "POST", "path": "/x", "json": {"key": "{key}"}}
Y = {"y": "y"}
OUT = {"y": "/y"}
TOLD = {"topic": "a", "json": {"id": "{key}"}}
ASKED = {"topic": "a", "json": {"id": "{key}", "q": "{question}"}}
REST = {"url": "http://127.0.0.1:1", "start": POST, "measure": OUT}
FEWEST = {
    "sila": {"host": "h", "command": "A.B", "measure": Y},
    "opcua": {"url": "opc.tcp://h", "unit": "u", "measure": Y},
    "epics": {"start": "GO", "measure": Y},
    "ophyd": {"devices": "math:sqrt", "trigger": ["x"], "measure": Y},
    "scpi": {"host": "h", "measure": {"y": "Y?"}},
    "visa": {"resource": "TCPIP0::h::5025::SOCKET", "measure": {"y": "Y?"}},
    "pymeasure": {"driver": "a:B", "start": ["go=true"], "resource": "TCPIP0::h::5025::SOCKET", "measure": Y},
    "serial": {"port": "/dev/ttyS0", "identity": "PUMP", "measure": {"y": "Y"}},
    "modbus": {"host": "h", "start": {"at": 1, "value": 1}, "status": 2, "measure": {"y": "3:float32"}},
    "mqtt": {"host": "h", "command": TOLD, "result": "r", "measure": OUT},
    "opentrons": {"url": "http://127.0.0.1:1", "commands": [{"do": "home"}], "measure": {}},
    "madsci": {"url": "http://127.0.0.1:1", "action": "a", "measure": {"y": ""}},
    "flowchem": {"url": "http://127.0.0.1:1", "start": ["/x/start"], "measure": {"y": "/x/y"}},
    "pylabrobot": {
        "bench": "a:b",
        "plate": "p",
        "tips": ["t"],
        "book": "b.json",
        "settings": {"x": {"to": "s[A1]"}},
        "measure": {"y": {"of": "absorbance", "at": {"wavelength": 520}}},
    },
    "rest": REST,
    "file_drop": {"orders": "o", "results": "r", "measure": Y},
    "chemspeed": {
        "folder": "f",
        "commands": [["run", "{T_C}"]],
        "settings": {"x": {"to": "T_C"}},
        "measure": {"y": 1},
    },
    "shell": {"command": ["true"], "measure": Y},
    "slurm": {"command": ["true"], "measure": Y},
    "dask": {"function": "math:sqrt", "scheduler": "tcp://127.0.0.1:1", "measure": Y},
    "callable": {"function": "math:sqrt"},
    "workcell": {"steps": [{"name": "a", "use": "scpi", "with": {"host": "h", "measure": {"y": "Y?"}}}]},
}
"""Fields with which an adapter promises least, beside its defaults."""
FEWEST_OF_METRICS = {
    "file_drop": {"results": "r", "column": "area"},
    "mqtt": {"host": "h", "topic": "a"},
    "rest": {"url": "http://127.0.0.1:1", "get": GET, "value": "/y"},
}
"""The same of metrics."""
