"""A file is read as it is meant, and every fault in it is named with its place."""

import json
from pathlib import Path

import pytest

from titrant.definition import ExperimentFile, load, recall, schema
from titrant.definition.parsing import Unreadable, parse
from titrant.definition.reading import read
from titrant.errors import DefinitionError
from titrant.model.space import ChoiceParameterConfig, FixedParameterConfig, RangeParameterConfig

from .conftest import FILE

DOCS = Path(__file__).parents[2] / "docs"
YAML = """
    name: reaction
    seed: 1
    constraints: ["temperature_c + minutes <= 150"]
    objective: yield
    outcome_constraints: [impurity <= 0.05]
    parameters:
      temperature_c: [20, 120]
      minutes: [5, 60]
    run: {max_trials: 3, parallelism: 2}
    runners:
      - use: own_lab:react
"""


def problems(path):
    """The faults of a file: (line, where, text)."""
    return [(one.line, one.where, one.text) for one in read(path)[1]]


def parameter(written, line):
    """The configuration that a line under [parameters] stands for."""
    (one,) = load(written(f"[parameters]\n{line}\n")).experiment.space.parameters
    return one


def test_the_three_formats_say_the_same(written):
    toml = load(written()).file
    yaml = load(written(YAML, "lab.yaml")).file
    as_json = load(written(json.dumps(load(Path("lab.toml")).definition(Path("x")).content), "lab.json")).file

    assert toml == yaml == as_json


@pytest.mark.parametrize(
    ("line", "config"),
    [
        ("x = [0, 1]", RangeParameterConfig("x", (0.0, 1.0))),
        ("x = {bounds=[1, 9], parameter_type='int', step_size=2}", RangeParameterConfig("x", (1, 9), "int", 2)),
        ("x = { bounds = [0.1, 10], scaling = 'log' }", RangeParameterConfig("x", (0.1, 10.0), scaling="log")),
        ("x = ['a', 'b']", ChoiceParameterConfig("x", ("a", "b"))),
        ("x = { values = [1, 2, 4] }", ChoiceParameterConfig("x", (1, 2, 4), "int")),
        ("x = { values = [1, 2.5] }", ChoiceParameterConfig("x", (1, 2.5), "float")),
        ("x = [true, false]", ChoiceParameterConfig("x", (True, False), "bool")),
        ("x = 5.0", FixedParameterConfig("x", 5.0)),
        ("x = { value = 'DMF' }", FixedParameterConfig("x", "DMF")),
    ],
)
def test_parameters_have_short_forms(written, line, config):
    assert parameter(written, line) == config


def test_parameters_may_stand_in_a_list_as_in_ax(written):
    listed = '[[parameters]]\nname = "x"\nbounds = [0, 1]\n[[parameters]]\nname = "s"\nvalues = ["a", "b"]\n'

    assert load(written(listed)).experiment.space.names == ("x", "s")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("x = [1, 2, 3]", "two of them are the bounds"),
        ("x = { bounds = [0, 1], values = [1] }", "needs one of bounds"),
        ("x = {}", "needs one of bounds"),
        ("x = { type = 'range', value = 3 }", "needs 'bounds'"),
        ("x = { bounds = [0, 1], is_ordered = true }", "leave 'is_ordered' out"),
        ("x = { name = 'y', bounds = [0, 1] }", "calls itself 'y'"),
        ("x = [1, 0]", "x"),
        ("x = { bounds = [0, 1], parameter_type = 'str' }", "float or int"),
        ("x = []", "x"),
    ],
)
def test_a_parameter_that_makes_no_sense_is_named_with_its_line(written, line, said):
    ((at, where, text),) = problems(written(f"[parameters]\n{line}\n"))

    assert (at, where) == (2, "parameters.x")
    assert said in text


def test_all_faults_are_named_at_once(written):
    faulty = """
    seed = -1
    colour = "red"
    objective = "yield *"

    [parameters]
    x = { bound = [0, 1] }

    [[runners]]
    use = "a"
    [[runners]]
    usw = "b"
    capacity = "two"

    [run]
    parallelism = 0
    """
    found = {where: (line, text) for line, where, text in problems(written(faulty))}

    assert found.keys() == {
        "seed", "colour", "parameters.x.bound", "runners[1]", "runners[1].usw", "runners[1].capacity",
        "run.parallelism",
    }  # fmt: skip
    assert found["seed"][0] == 2
    assert "did you mean 'bounds'?" in found["parameters.x.bound"][1]
    assert found["runners[1].usw"] == (12, "there is no field of this name: did you mean 'use'?")
    assert found["runners[1].capacity"][1] == "expected a whole number, got a text"
    assert found["run.parallelism"][0] == 16


def test_all_faults_of_sense_are_named_at_once(written):
    faulty = """
    constraints = ["x + z <= 1", "x <="]
    objective = "y*y"
    outcome_constraints = ["cost == 5"]
    [parameters]
    x = [0, 1]
    s = ["a", "a"]
    """

    assert [where for _, where, _ in problems(written(faulty))] == [
        "parameters.s", "constraints[0]", "constraints[1]", "objective", "outcome_constraints[0]",
    ]  # fmt: skip


def test_a_seed_of_the_design_below_0_is_found(written):
    strategy = "[strategy]\ninitialization_random_seed = -1\n"
    ((line, where, text),) = problems(written(f"[parameters]\nx = [0, 1]\n{strategy}"))

    assert (line, where) == (4, "strategy.initialization_random_seed")
    assert text == "initialization_random_seed is -1: give a whole number from 0 on, or None"


def test_a_task_that_depends_on_a_choice_is_found(written):
    mode = '{ values = ["a", "b"], dependent_parameters = { a = ["s"] } }'
    site = '{ values = ["Basel", "Lyon"], is_task = true, target_value = "Lyon" }'
    ((_, where, text),) = problems(written(f"[parameters]\nmode = {mode}\ns = {site}\n"))

    assert where == "parameters"
    assert "'s' has is_task and is active under a value of 'mode' only" in text


def test_a_space_that_is_empty_is_found(written):
    ((_, where, text),) = problems(written('constraints = ["x >= 2"]\n[parameters]\nx = [0, 1]\n'))

    assert where == "constraints"
    assert "x >= 2" in text


@pytest.mark.parametrize(
    ("name", "text", "line", "said"),
    [
        ("a.toml", "x = = 1", 1, "no TOML"),
        ("a.toml", "x = 1\nx = 2", None, "no TOML"),
        ("a.yaml", "a: [1\nb: 2", None, "no YAML"),
        ("a.yaml", "a: 1\na: 2", 2, "stands twice"),
        ("a.json", '{"a": 1,\n}', None, "no JSON"),
        ("a.json", '{"a": 1, "a": 2}', None, "stands twice"),
        ("a.txt", "", None, "ends in .toml, .yaml, .yml, .json"),
    ],
)
def test_a_text_that_cannot_be_read_is_said_to_be_none(written, name, text, line, said):
    ((at, _, told),) = problems(written(text, name))

    assert said in told
    assert line is None or at == line


def test_bytes_that_are_no_text_are_said_to_be_none(tmp_path):
    (tmp_path / "a.toml").write_bytes(b"\xff\xfe\x00")

    assert "UTF-8" in problems(tmp_path / "a.toml")[0][2]


def test_an_empty_file_lacks_parameters(written):
    assert problems(written("", "a.yaml")) == [(None, "", "'parameters' is missing")]


@pytest.mark.parametrize(
    ("text", "value"),
    [("1e-3", 1e-3), ("1_0", "1_0"), ("no", "no"), ("12:30", "12:30"), ("true", True), ("0x1F", "0x1F"), ("-2", -2)],
)
def test_yaml_has_no_traps(text, value):
    assert parse(f"a: {text}", "yaml") == {"a": value}


def test_yaml_runs_no_code():
    with pytest.raises(Unreadable, match="no YAML"):
        parse("a: !!python/object/apply:os.system ['true']", "yaml")


def test_lines_are_found_in_yaml_too(written):
    assert problems(written("parameters:\n  x: [0, 1]\nrunners:\n  - use: a\n    capacity: 0\n", "a.yaml")) == [
        (5, "runners[0].capacity", "expected a whole number >= 1")
    ]


def test_one_fault_is_one_sentence(written):
    with pytest.raises(DefinitionError, match=r"lab\.toml: line 1, colour: there is no field of this name"):
        load(written('colour = "red"\n[parameters]\nx = [0, 1]\n'))


def test_a_secret_in_the_file_is_refused(written):
    secret = FILE + '    with = { token = "abc", more = { api_key = "x" }, user = "kim" }\n'

    assert [(line, where) for line, where, _ in problems(written(secret))] == [
        (18, "runners[0].with.token"),
        (18, "runners[0].with.more.api_key"),
    ]


def test_a_secret_named_by_its_variable_is_not(written):
    assert problems(written(FILE + '    with = { token = { env = "LAB_TOKEN" } }\n')) == []


@pytest.mark.parametrize("value", ["inf", "2026-01-01", "9223372036854775808"])
def test_what_would_not_come_out_of_the_log_as_it_went_in_is_refused(written, value):
    ((_, where, _),) = problems(written(FILE + f"    with = {{ list = [1, {value}] }}\n"))

    assert where == "runners[0].with.list[1]"


def test_what_the_log_keeps_is_the_file(written, tmp_path):
    loaded = load(written())
    log = tmp_path / "logs" / "lab.titrant"

    kept = recall(loaded.definition(log), log)

    assert kept.file == loaded.file
    assert loaded.definition(log).file == "../lab.toml"
    assert kept.folder.resolve() == tmp_path


def test_the_log_stands_beside_the_file(written, tmp_path):
    assert load(written()).log == tmp_path / "lab.titrant"
    assert load(written('log = "here.titrant"\n[parameters]\nx = [0, 1]\n')).log == tmp_path / "here.titrant"


def test_the_name_of_the_file_is_the_experiments_where_it_says_none(written):
    assert load(written("[parameters]\nx = [0, 1]\n")).experiment.name == "lab"


def test_the_published_schema_is_up_to_date():
    assert json.loads((DOCS / "experiment.schema.json").read_text(encoding="utf-8")) == schema()


def test_the_schema_describes_every_field():
    described = schema()["$defs"]["ExperimentFile"]["properties"]

    assert described.keys() == {field.replace("with_", "with") for field in ExperimentFile.__struct_fields__}


# --- tables of descriptors ------------------------------------------------------------------------------------------


TABLE = "name,dielectric,logP\nTHF,7.5,0.46\nwater,80,-1.38\ntoluene,2.4,2.73\n"


def described(folder, field, table=TABLE):
    (folder / "solvents.csv").write_text(table, encoding="utf-8")
    path = folder / "lab.toml"
    path.write_text(f'objective = "yield"\n[parameters]\nt = [0, 1]\nsolvent = {field}\n', encoding="utf-8")
    return path


def test_descriptors_come_from_a_table_beside_the_file_and_stand_in_the_log(tmp_path):
    path = described(tmp_path, '{ values = ["THF", "toluene"], descriptors = "solvents.csv" }')
    loaded = load(path)
    solvent = loaded.experiment.space.parameter("solvent")

    assert solvent.descriptors == {
        "THF": {"dielectric": 7.5, "logP": 0.46},
        "toluene": {"dielectric": 2.4, "logP": 2.73},
    }
    (tmp_path / "solvents.csv").unlink()
    log = tmp_path / "lab.titrant"
    assert recall(loaded.definition(log), log).experiment == loaded.experiment


def test_a_table_of_descriptors_may_be_all_that_is_said_of_a_choice(tmp_path):
    inline = "{ descriptors = { THF = { logP = 0.46 }, water = { logP = -1 } } }"

    assert load(described(tmp_path, '{ descriptors = "solvents.csv" }')).experiment.space.parameter(
        "solvent"
    ).values == ("THF", "water", "toluene")
    assert load(described(tmp_path, inline)).experiment.space.parameter("solvent").values == ("THF", "water")


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("", "its first line must name the column of the values and then each descriptor, once"),
        ("name,a,a\nTHF,1,2\n", "once"),
        ("name,a\nTHF\n", "row 2 has 1 fields"),
        ("name,a\nTHF,1\nTHF,2\n", "row 3 describes 'THF' twice"),
        ("name,a\nTHF,wet\n", r"row 2 \(THF\) has something other than numbers in it"),
        ("name,a\nTHF,nan\nwater,1\n", "give 'THF' the a nan: give a finite number"),
        ("name,a\nTHF,1\n", "have no row of 'water'"),
    ],
)
def test_a_table_that_cannot_be_used_is_named_with_its_line(tmp_path, table, message):
    path = described(tmp_path, '{ values = ["THF", "water"], descriptors = "solvents.csv" }', table)

    with pytest.raises(DefinitionError, match=message):
        load(path)


def test_a_table_that_is_not_there_is_named(tmp_path):
    path = described(tmp_path, '{ descriptors = "solvent.csv" }')

    with pytest.raises(DefinitionError, match=r"parameters\.solvent\.descriptors.*'solvent\.csv' cannot be read"):
        load(path)
