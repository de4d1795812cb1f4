"""An experiment file names logs of past experiments to learn from."""

import pytest

from titrant import Client, ConfigurationError, RangeParameterConfig
from titrant.definition import apply, connect, load

FILE = """
    seed = 3
    objective = "yield"

    [parameters]
    minutes = [1, 60]

    [[past]]
    log = "old.titrant"
    names = { Y = "yield" }
    scaled = { minutes = [0.01666666666666667, 0.0] }
"""


@pytest.fixture
def file(tmp_path):
    with Client(tmp_path / "old.titrant", random_seed=1, virtual_time=True) as client:
        client.configure_experiment([RangeParameterConfig("minutes", (60.0, 3600.0))], name="old")
        client.configure_optimization("Y")
        for seconds in (600.0, 1200.0, 1800.0, 3000.0):
            client.complete_trial(client.attach_trial({"minutes": seconds}), {"Y": -((seconds - 1500.0) ** 2)})
    path = tmp_path / "new.toml"
    path.write_text(FILE)
    return path


def test_what_the_file_names_is_learned_from_once(file):
    loaded = load(file)
    with Client(random_seed=3, virtual_time=True) as client:
        for _ in range(2):
            apply(client, loaded, connect(loaded))
        (past,) = client.state.past

    assert past.count == 4
    assert past.parameters["minutes"] == pytest.approx((10.0, 20.0, 30.0, 50.0))


def test_a_file_that_names_what_does_not_fit_is_refused(file):
    file.write_text(FILE.replace("scaled", "fill").replace("[0.01666666666666667, 0.0]", "5"))
    loaded = load(file)
    with (
        Client(random_seed=3, virtual_time=True) as client,
        pytest.raises(ConfigurationError, match="fill names 'minutes'"),
    ):
        apply(client, loaded, connect(loaded))
