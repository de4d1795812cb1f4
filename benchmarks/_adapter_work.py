"""What a Dask worker calls."""

import os
import time


def compute(conditions):
    """Take as long as a run does."""
    time.sleep(float(os.environ["BENCH_SECONDS"]))
    return {"y": conditions["temperature"] ** 2}
