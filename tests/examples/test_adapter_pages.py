"""Every family of adapters has a page of sixty lines at most; each is run, here or in the tests beside."""

import re
from pathlib import Path

import pytest
from tests.adapters.registry import registered
from tests.adapters.servers import epics_ca
from tests.adapters.servers.epics_wire import Search
from tests.adapters.servers.process import LOOPBACK, Server, elsewhere, python

PAGES = Path(__file__).parents[2] / "examples/adapters"
FAMILIES = {
    "chemspeed": ["chemspeed"],
    "dask_cluster": ["dask"],
    "epics": ["epics"],
    "files": ["file_drop"],
    "five_protocols": ["workcell"],
    "flowchem": ["flowchem"],
    "functions": ["callable"],
    "madsci": ["madsci"],
    "modbus": ["modbus"],
    "mqtt_device": ["mqtt"],
    "opcua": ["opcua"],
    "opentrons": ["opentrons"],
    "ophyd": ["ophyd"],
    "programs": ["shell", "slurm"],
    "pylabrobot_bench": ["pylabrobot"],
    "rest": ["rest"],
    "scpi": ["scpi"],
    "serial_line": ["serial"],
    "sila_reactor": ["sila"],
    "visa": ["visa", "pymeasure"],
}
"""Page to the adapters that it shows."""
BEST = r"best of 6 \w+: trial \d at .*gives "


def text_of(page):
    return "".join(path.read_text(encoding="utf-8") for path in PAGES.glob(f"{page}.*"))


def test_every_adapter_has_a_page_and_every_page_a_test():
    here = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py"))

    assert sorted(name for names in FAMILIES.values() for name in names) == sorted(registered("runners"))
    assert {path.stem for path in PAGES.glob("*.py")} == FAMILIES.keys()
    assert [page for page in FAMILIES if f"adapters/{page}" not in here and f'"{page}"' not in here] == []


@pytest.mark.parametrize(("page", "name"), [(page, name) for page, names in FAMILIES.items() for name in names])
def test_a_page_shows_the_adapter(page, name):
    kind = registered("runners")[name].partition(":")[2]

    assert re.search(rf'\b{kind}\(|`{kind}`|use = "{name}"', text_of(page))


@pytest.mark.parametrize("page", sorted(path.name for path in PAGES.iterdir() if path.is_file()))
def test_a_page_is_a_page(page):
    assert len((PAGES / page).read_text(encoding="utf-8").splitlines()) <= 60


@pytest.mark.parametrize("page", ["scpi", "chemspeed", "functions"])
def test_a_page_that_needs_nothing_runs(run_example, page):
    assert re.search(BEST, run_example(f"adapters/{page}", "--trials", 6))


def test_the_page_on_epics_runs_with_an_ioc(run_example, tmp_path, monkeypatch):
    with (
        epics_ca.Repeater() as repeater,
        Search() as search,
        Server("ioc", python("epics_ca", repeater.port), tmp_path) as ioc,
    ):
        search.server = ioc.port
        for name, value in epics_ca.client_settings(search.port, repeater.port).items():
            monkeypatch.setenv(name, value)

        assert re.search(BEST, run_example("adapters/epics", "--trials", 6))
        assert ioc.starts() == 6


def test_the_page_on_opentrons_runs_with_the_stand_in(run_example, tmp_path):
    with Server("opentrons", python("opentrons"), tmp_path) as robot:
        assert re.search(
            BEST, run_example("adapters/opentrons", "--url", f"http://{LOOPBACK}:{robot.port}", "--trials", 6)
        )
        assert robot.starts("dispense") == 6


@pytest.mark.adapters_slow
def test_the_page_on_madsci_runs_with_a_node(run_example, tmp_path):
    command = python("elsewhere.madsci_node", interpreter=elsewhere("madsci", "bin/python"))
    with Server("madsci", command, tmp_path, env={"HOME": str(tmp_path)}) as node:
        assert re.search(BEST, run_example("adapters/madsci", "--url", f"http://{LOOPBACK}:{node.port}", "--trials", 6))
        assert node.starts() == 6


@pytest.mark.adapters_slow
def test_the_page_on_flowchem_runs_with_its_simulation(run_example, tmp_path):
    command = python("elsewhere.flowchem_sim", interpreter=elsewhere("flowchem", "bin/python"))
    with Server("flowchem", command, tmp_path) as server:
        printed = run_example("adapters/flowchem", "--url", f"http://{LOOPBACK}:{server.port}", "--trials", 6)

    assert re.search(BEST, printed)
