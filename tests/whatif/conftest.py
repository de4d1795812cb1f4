"""A log whose trials took known times."""

import pytest

from titrant import Client, RangeParameterConfig
from titrant.simulation import SimulatedLab


@pytest.fixture(scope="session")
def parent(tmp_path_factory):
    path = tmp_path_factory.mktemp("whatif") / "parent.titrant"
    with Client(path, random_seed=1, virtual_time=True) as client:
        client.configure_experiment([RangeParameterConfig("x", (0, 1))], name="parent")
        client.configure_optimization("y")
        client.configure_generation_strategy(method="random_search")
        lab = SimulatedLab(lambda p: {"y": 5 - (p["x"] - 0.3) ** 2 * 10}, duration_s=3600.0, noise_sd=0.05)
        client.configure_runner(lab)
        client.run_trials(8, parallelism=2)
    return path
