"""Bayesian optimization with BoTorch: the only place that imports torch, and only when it is asked to.

Modules here import torch at their top, so nothing outside may import them at its own top: see ``dispatch.py``.
"""

from __future__ import annotations

import warnings
from functools import cache

from titrant.generators.environment import machine, threads


def load_botorch() -> None:
    """Import torch and BoTorch, and set what is global in them.

    Importing botorch changes settings of gpytorch and linear_operator (Cholesky tries 3 to 6, exact Cholesky up to
    4096 points), which suits us; we set torch to one thread, because the lab's drivers need the other cores. So call
    this in a process of the generator's own, once, before anything else here.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import botorch  # noqa: F401, PLC0415 - the point of this function
        import torch  # noqa: PLC0415
        from botorch.acquisition.multi_objective import logei  # noqa: PLC0415

        import titrant.generators.bo.generator  # noqa: F401, PLC0415
    torch.set_num_threads(1)
    # BoTorch would compile C++ at the first request for several objectives: a minute, other numbers where there is no
    # compiler, and a lock that is waited for without end once a process has died in the midst of it.
    logei._load_attempted = True  # noqa: SLF001 - there is no other way to decline


def versions() -> dict[str, str]:
    """What the model's numbers may depend on: packages, the kind of machine, linear algebra and its threads."""
    import botorch  # noqa: PLC0415 - loaded by now
    import gpytorch  # noqa: PLC0415
    import numpy  # noqa: PLC0415
    import scipy  # noqa: PLC0415
    import torch  # noqa: PLC0415

    return {
        "botorch": str(botorch.__version__),
        "gpytorch": str(gpytorch.__version__),
        "numpy": numpy.__version__,
        "scipy": scipy.__version__,
        "torch": str(torch.__version__),
        **machine(),
        "cpu": torch.backends.cpu.get_cpu_capability(),
        "blas": _blas(),
        "threads": f"torch {torch.get_num_threads()}, linear algebra {threads()}",
    }


@cache
def _blas() -> str:
    """The linear algebra behind numpy and behind torch."""
    import numpy  # noqa: PLC0415
    import torch  # noqa: PLC0415

    config = numpy.show_config(mode="dicts")
    found = config.get("Build Dependencies", {}).get("blas", {}) if isinstance(config, dict) else {}
    of_torch = "MKL" if torch.backends.mkl.is_available() else "another"  # type: ignore[no-untyped-call]  # torch's own
    return f"numpy {found.get('name', 'unknown')} {found.get('version', '')}".rstrip() + f", torch {of_torch}"
