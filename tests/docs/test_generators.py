"""The generator that docs/generators.md shows works as it says."""

from __future__ import annotations

from titrant import Client, RangeParameterConfig

from .pages import shown

PAGE = "generators.md"


def test_the_generator_that_is_shown_gets_nearer_within_the_constraints():
    names: dict = {}
    exec(shown(PAGE), names)
    with Client(random_seed=1, virtual_time=True, generator=names["AroundTheBest"]()) as client:
        client.configure_experiment(
            [RangeParameterConfig("x", (0.0, 1.0)), RangeParameterConfig("y", (0.0, 1.0), step_size=0.05)],
            ["x + y <= 1"],
        )
        client.configure_optimization("gain")
        client.configure_runner(lambda at: {"gain": -((at["x"] - 0.2) ** 2) - (at["y"] - 0.6) ** 2})
        client.run_trials(25, progress=False)
        trials = client.state.trials()

    gains = [trial.observations[0].mean for trial in trials]
    assert {trial.node for trial in trials[5:]} == {"bo"}
    assert max(gains[5:]) > max(gains[:5])
    assert all(trial.parameters["x"] + trial.parameters["y"] <= 1 + 1e-8 for trial in trials)


def test_it_takes_about_twenty_lines():
    lines = [line for line in shown(PAGE).splitlines() if line.strip()]

    assert len(lines) <= 22
