"""A Dask cluster of two worker processes: ``python -m tests.adapters.servers.cluster PORT``.

A task that kills its worker is not run again: by default Dask would run it four times.
"""

import sys
import threading

import dask
from distributed import LocalCluster
from tests.adapters.servers.process import LOOPBACK

READY = "the workers are there"


def main(port):
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
        LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            host=LOOPBACK,
            scheduler_port=port,
            dashboard_address=None,
            processes=True,
        ),
    ):
        print(READY, flush=True)  # the port is open before there are workers
        threading.Event().wait()


if __name__ == "__main__":
    main(int(sys.argv[1]))
