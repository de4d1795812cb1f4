"""Names in a file become objects, or a sentence that says why not."""

from importlib.metadata import EntryPoint

import pytest

from titrant import FunctionRunner
from titrant.definition import connect, load
from titrant.errors import DefinitionError

from .conftest import FILE


def connected(written, runner):
    return connect(load(written(FILE.replace('use = "own_lab:react"', runner))))


def runner_of(written, runner):
    (one,) = connected(written, runner).runners
    return one


def test_a_function_of_the_conditions_is_a_runner(written):
    made = runner_of(written, 'use = "own_lab:react"')

    assert isinstance(made, FunctionRunner)
    assert made.name == "react"


def test_the_rest_of_its_arguments_come_from_the_file(written):
    made = runner_of(written, 'use = "own_lab:react"\nwith = { scale = 2 }')

    assert made.function({"temperature_c": 60, "minutes": 0})["yield"] == 1.0


@pytest.mark.parametrize("use", ["own_lab:Reactor", "own_lab:make_reactor"])
def test_a_class_or_a_function_makes_a_runner(written, use):
    assert runner_of(written, f'use = "{use}"\nwith = {{ port = "COM3" }}').port == "COM3"


def test_what_is_a_runner_already_is_taken_as_it_is(written):
    assert runner_of(written, 'use = "own_lab:ready"').port == "COM9"


def test_the_file_may_set_what_a_runner_declares(written):
    made = runner_of(written, 'use = "own_lab:Reactor"\nname = "left"\ncapacity = 3\nrun_deadline_s = 60')

    assert (made.name, made.capacity, made.run_deadline_s) == ("left", 3, 60.0)


def test_a_secret_comes_from_the_environment(written, monkeypatch):
    monkeypatch.setenv("LAB_TOKEN", "xyz")

    assert runner_of(written, 'use = "own_lab:Reactor"\nwith = { token = { env = "LAB_TOKEN" } }').token == "xyz"


def test_metrics_and_generators_are_made_too(written):
    more = '[[metrics]]\nuse = "own_lab:Scale"\nname = "yield"\n[generator]\nuse = "own_lab:Designs"\n'
    made = connect(load(written(FILE.replace('use = "own_lab:react"', 'use = "own_lab:Robot"\n' + more))))

    assert [one.name for one in made.metrics] == ["yield"]
    assert type(made.generator).__name__ == "Designs"


def test_an_installed_name_is_found(written, monkeypatch):
    found = EntryPoint("reactor", "own_lab:Reactor", "titrant.runners")
    monkeypatch.setattr("titrant.definition.connecting.entry_points", lambda group: [found] * (group == found.group))

    assert runner_of(written, 'use = "reactor"').port == "COM1"
    with pytest.raises(DefinitionError, match="did you mean 'reactor'"):
        connected(written, 'use = "reactr"')


@pytest.mark.parametrize(
    ("runner", "said"),
    [
        ('use = "no_such_module:Lab"', "no module 'no_such_module': put no_such_module.py beside the file"),
        ('use = "own_lab:Reacter"', "own_lab has no 'Reacter': did you mean 'Reactor'?"),
        ('use = "own_lab:"', "no name of the form module:attribute"),
        ('use = "own lab:x"', "no name of the form module:attribute"),
        ('use = "own_lab:number"', "which is no runner"),
        ('use = "own_lab:Designs"', "which is no runner"),
        ('use = "own_lab:broken"', "could not be made: OSError: no such port"),
        ('use = "own_lab:Reactor"\nwith = { prot = 3 }', "it takes port, token"),
        ('use = "own_lab:ready"\nwith = { port = 3 }', "takes no arguments"),
        ('use = "own_lab:Reactor"\nwith = { token = { env = "NO_SUCH_VARIABLE" } }', "NO_SUCH_VARIABLE is not set"),
        ('use = "broken_lab:x"', "ValueError: at import"),
        ('use = "needy_lab:x"', "it needs 'no_such_package'"),
    ],
)
def test_what_cannot_be_connected_is_said_why(written, tmp_path, runner, said):
    (tmp_path / "broken_lab.py").write_text("raise ValueError('at import')")
    (tmp_path / "needy_lab.py").write_text("import no_such_package")

    with pytest.raises(DefinitionError) as caught:
        connected(written, runner)

    assert said in str(caught.value)
    assert "line 16, runners[0]" in str(caught.value)


def test_only_simulated_labs_run_in_virtual_time(written):
    assert connected(written, 'use = "titrant.simulation:reaction"').virtual_time
    assert not connected(written, 'use = "own_lab:Reactor"').virtual_time
