"""Wide spaces in a client: what the generators promise for 50 parameters has to get through the log, too."""

import pytest

from titrant import ChoiceParameterConfig, Client, RangeParameterConfig
from titrant.definition import check
from titrant.replay.decisions import verify_decisions


def numbers(count):
    return [RangeParameterConfig(f"x{i}", (0.0, 1.0)) for i in range(count)]


def names(count, between):
    return between.join(f"x{i}" for i in range(count))


def hill(parameters):
    return {"y": -sum((value - 0.4) ** 2 for value in list(parameters.values())[:4])}


def opened(path, parameters, constraints=()):
    client = Client(path, random_seed=2, virtual_time=True)
    client.configure_experiment(parameters, list(constraints))
    client.configure_optimization("y")
    client.configure_runner(hill)
    return client


@pytest.mark.parametrize("count", [13, 14, 20, 50])
def test_an_experiment_with_many_parameters_runs_and_goes_on_after_it_was_closed(tmp_path, count):
    path = tmp_path / "wide.titrant"
    with opened(path, numbers(count)) as client:
        client.run_trials(7, progress=False)
    with Client.open(path, virtual_time=True) as client:
        assert [one.name for one in client.state.experiment.space.parameters] == [f"x{i}" for i in range(count)]
        assert [len(one) for one in client.get_next_trials(2).values()] == [count, count]
        assert {trial.node for trial in client.state.trials()} == {"centre", "sobol", "bo"}

    assert verify_decisions(path).ok


def test_a_formulation_of_twenty_components_with_few_at_a_time_runs(tmp_path):
    constraints = [f"{names(20, ' + ')} = 1", f"at most 4 of {names(20, ', ')}, each 0 or >= 0.05"]
    with opened(tmp_path / "formulation.titrant", numbers(20), constraints) as client:
        client.run_trials(8, progress=False)

        for trial in client.state.trials():
            parts = [value for value in trial.parameters.values() if value]
            assert sum(parts) == pytest.approx(1.0)
            assert len(parts) <= 4
            assert min(parts) >= 0.05


def test_sixty_solvents_with_three_descriptors_each_are_entered(tmp_path):
    table = {f"s{i}": {"polarity": float(i), "size": float(i % 7), "donor": i / 60} for i in range(60)}
    path = tmp_path / "solvents.titrant"
    with opened(path, [ChoiceParameterConfig("solvent", list(table), descriptors=table), *numbers(4)]) as client:
        client.configure_runner(lambda at: {"y": -abs(table[at["solvent"]]["polarity"] - 31.0)})
        client.run_trials(8, progress=False)

    with Client.open(path, virtual_time=True) as client:
        assert client.state.experiment.space.parameter("solvent").descriptors == table


def test_a_fourteenth_parameter_is_added_in_mid_experiment(tmp_path):
    with opened(tmp_path / "wide.titrant", numbers(13)) as client:
        client.run_trials(2, progress=False)
        client.add_parameter(RangeParameterConfig("x13", (0.0, 1.0)), backfill=0.5)

        assert [len(one) for one in client.get_next_trials(1).values()] == [14]


def test_an_experiment_file_with_twenty_parameters_is_sound(tmp_path):
    file = tmp_path / "wide.toml"
    parameters = "".join(f"x{i} = [0.0, 1.0]\n" for i in range(20))
    file.write_text(f"name = 'wide'\nobjective = 'y'\n[parameters]\n{parameters}")

    report = check(file)

    assert report.passed, report.problems
    assert len(report.suggested) == 8
