"""Jobs on a real Slurm cluster of one node."""

import pytest
from tests.adapters.servers.reactor import yield_at


def test_a_job_leaves_its_result(slurm, tmp_path):
    job = slurm.submit(f"echo {yield_at(64.0)} > {tmp_path}/yield")

    assert slurm.end_of(job) == ("COMPLETED", "0:0")
    assert float((tmp_path / "yield").read_text()) == yield_at(64.0)


@pytest.mark.parametrize(("script", "status"), [("exit 7", "7:0"), ("kill -9 $$", "0:9")])
def test_a_job_that_fails_tells_how(slurm, script, status):
    assert slurm.end_of(slurm.submit(script)) == ("FAILED", status)


def test_a_cancelled_job_says_so(slurm):
    job = slurm.submit("sleep 600")
    slurm.run("scancel", job)

    assert slurm.end_of(job)[0] == "CANCELLED"
