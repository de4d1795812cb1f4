"""Functions on a Dask cluster: simulations and model evaluations, where one machine is not enough.

::

    [[runners]]
    use = "dask"
    with.scheduler = "tcp://cluster:8786"
    with.function = "my_model:evaluate"
    with.measure.yield = "yield"
    with.workers = 32

The function gets the conditions as a dict and gives a dict; its module is on the workers.  The result is published on
the scheduler until it is in the log, so that a restart finds it again; those of the last trials, as many as
``workers``, stay there unless ``rerun_safe``.  Dask by itself runs a task again whose worker died, before or after it
was done; unless ``rerun_safe`` says that this does no harm, such a run is UNKNOWN.
"""

from titrant_adapters.dask.config import DaskConfig
from titrant_adapters.dask.runner import DaskRunner

__all__ = ["DaskConfig", "DaskRunner"]
