"""Both shapes of simulated labs under the engine, in virtual time."""

import subprocess
import sys

import pytest

from titrant import Client, NeverSeen, SubmissionRefused, TrialStatus
from titrant.simulation import Lognormal, SimulatedLab, SimulatedPolledLab
from titrant.simulation.problems import HARTMANN6


def parabola(parameters):
    return {"y": -((parameters["x"] - 0.3) ** 2)}


def test_a_virtual_hour_of_trials_takes_an_hour_of_the_log(experiment):
    with experiment() as client:
        client.configure_runner(SimulatedLab(parabola, duration_s=600.0))
        report = client.run_trials(12, parallelism=2)
        ends = [trial.ended_at for trial in client.state.trials()]
        begins = [trial.started_at for trial in client.state.trials()]

    assert report.outcome == "finished"
    assert (max(ends) - min(begins)) / 1e6 == pytest.approx(3600.0)


def test_the_data_carry_the_known_noise(experiment):
    with experiment() as client:
        client.configure_runner(SimulatedLab(parabola, noise_sd=0.1))
        client.run_trials(1)

        assert client.state.trial(0).observations[0].sem == 0.1


def test_an_objective_without_names_is_the_experiments_objective(experiment):
    with experiment() as client:
        client.configure_runner(SimulatedLab(lambda parameters: 7.0))
        client.run_trials(1)

        assert client.summarize()["y"] == [7.0]


def test_drift_moves_later_measurements(experiment):
    with experiment() as client:
        client.configure_runner(SimulatedLab(lambda parameters: 1.0, duration_s=3600.0, drift_per_hour=0.5))
        client.run_trials(3)

        assert client.summarize()["y"] == pytest.approx([1.5, 2.0, 2.5])


@pytest.mark.parametrize("shape", [SimulatedLab, SimulatedPolledLab])
def test_failures_are_failed_trials_with_their_reason(experiment, shape):
    with experiment() as client:
        lab = shape(parabola, failure_probability=1.0)
        client.configure_runner(lab)
        client.configure_metrics(lab.metrics("y") if isinstance(lab, SimulatedPolledLab) else [])
        report = client.run_trials(2, tolerated_trial_failure_rate=1.0)

    assert report.failures == ((0, "simulated failure"), (1, "simulated failure"))


@pytest.mark.parametrize("shape", [SimulatedLab, SimulatedPolledLab])
def test_a_hanging_trial_ends_with_its_time_to_live(experiment, shape):
    with experiment() as client:
        lab = shape(parabola, hang_probability=1.0)
        client.configure_runner(lab)
        client.configure_metrics(lab.metrics("y") if isinstance(lab, SimulatedPolledLab) else [])
        report = client.run_trials(1, trial_ttl_seconds=300.0, tolerated_trial_failure_rate=1.0)

    assert report.failures == ((0, "it ran past its time to live"),)


def test_the_polled_lab_gives_what_the_pushed_one_gives(experiment):
    values = []
    for shape in (SimulatedLab, SimulatedPolledLab):
        with experiment() as client:
            lab = shape(parabola, duration_s=Lognormal(60.0), noise_sd=0.1, seed=4)
            client.configure_runner(lab)
            client.configure_metrics(lab.metrics("y") if isinstance(lab, SimulatedPolledLab) else [])
            client.run_trials(6, parallelism=3)
            values.append(client.summarize()["y"])

    assert values[0] == values[1]


def test_a_polled_lab_finds_its_attempts_again(experiment, tmp_path):
    path = tmp_path / "lab.titrant"
    lab = SimulatedPolledLab(parabola, duration_s=60.0)
    with experiment(path) as client:
        client.configure_runner(lab)
        client.configure_metrics(lab.metrics("y"))
        client.run_trials(2, parallelism=2, timeout_seconds=30.0)
    with Client.open(path, virtual_time=True) as client:
        client.configure_runner(lab)
        client.configure_metrics(lab.metrics("y"))
        client.run_trials(0)

        assert [trial.status for trial in client.state.trials()] == [TrialStatus.COMPLETED] * 2
        assert [trial.attempt for trial in client.state.trials()] == [1, 1]


@pytest.mark.anyio
async def test_a_polled_lab_takes_the_same_key_for_the_same_attempt(attempt):
    lab = SimulatedPolledLab(parabola, capacity=1)
    one = attempt()
    first = await lab.run_trial(0, one.parameters, one)

    assert await lab.run_trial(0, one.parameters, one) == first


@pytest.mark.anyio
async def test_a_polled_lab_says_what_it_has_never_seen(attempt):
    with pytest.raises(NeverSeen, match="does not know this attempt of trial 0"):
        await SimulatedPolledLab(parabola).reattach(attempt())


@pytest.mark.anyio
async def test_a_full_lab_refuses(attempt):
    lab = SimulatedPolledLab(parabola, capacity=1, duration_s=60.0)
    await lab.run_trial(0, {"x": 1.0}, attempt(0))

    with pytest.raises(SubmissionRefused, match="simulated lab is full: it has 1 places"):
        await lab.run_trial(1, {"x": 1.0}, attempt(1))


@pytest.mark.anyio
async def test_the_safe_state_stops_what_runs_and_leaves_what_has_ended(attempt):
    lab = SimulatedPolledLab(parabola, duration_s=lambda parameters, draws: parameters["x"])
    ended = await lab.run_trial(0, {"x": 0.0}, attempt(0, x=0.0))
    running = await lab.run_trial(1, {"x": 60.0}, attempt(1, x=60.0))
    await lab.safe_state()

    assert await lab.poll_trial(0, ended) is TrialStatus.COMPLETED
    assert await lab.poll_trial(1, running) == (TrialStatus.FAILED, "stopped on the instrument")


def labs():
    """Two instruments of different size and speed, with everything that can go wrong but hanging."""
    common = {"seed": 1, "noise_sd": 0.1, "failure_probability": 0.1, "drift_per_hour": 0.01}
    return [
        SimulatedLab(HARTMANN6.evaluate, name="left", capacity=5, duration_s=Lognormal(60.0), **common),
        SimulatedLab(HARTMANN6.evaluate, name="right", capacity=3, duration_s=Lognormal(30.0), **common),
    ]


def test_the_same_seed_gives_the_same_log_byte_for_byte(hartmann):
    first = hartmann("first", labs(), trials=60, parallelism=6)

    assert hartmann("second", labs(), trials=60, parallelism=6) == first
    assert len(first) > 300


def test_a_thousand_trials_on_eight_places_are_within_reach_of_a_test(hartmann):
    events = hartmann("large", labs(), trials=1_000, parallelism=8)

    assert sum(row[2] == "trial.created" for row in events) == 1_000


def test_a_simulation_needs_neither_torch_nor_numpy():
    code = "import sys, titrant.simulation, titrant.simulation.problems; print({'torch', 'numpy'} & set(sys.modules))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert ran.stdout.strip() == "set()"
