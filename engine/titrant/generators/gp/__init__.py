"""Bayesian optimization of one objective with numpy and scipy alone: an exact Gaussian process, gradients written out.

It gives the numbers that BoTorch gives (``tests/generators/test_gp_agrees.py``) in a twentieth of the time, nearly all
of which there is the overhead of single small tensors, and starts without torch.
"""

from __future__ import annotations

from functools import cache

from titrant.generators.environment import machine, threads


def versions() -> dict[str, str]:
    """What the model's numbers may depend on: packages, the kind of machine, linear algebra and its threads."""
    import numpy  # noqa: PLC0415 - the first trial must not wait for it
    import scipy  # noqa: PLC0415

    blas, cpu = _built()
    return {
        "numpy": numpy.__version__,
        "scipy": scipy.__version__,
        **machine(),
        "cpu": cpu,
        "blas": blas,
        "threads": f"linear algebra {threads()}",
    }


@cache
def _built() -> tuple[str, str]:
    """The linear algebra behind numpy, and the widest instructions of this processor that it uses."""
    import numpy  # noqa: PLC0415

    config = numpy.show_config(mode="dicts")
    told = config if isinstance(config, dict) else {}
    blas = told.get("Build Dependencies", {}).get("blas", {})
    simd = told.get("SIMD Extensions", {})
    wide = simd.get("found") or simd.get("baseline") or ["unknown"]
    return f"numpy {blas.get('name', 'unknown')} {blas.get('version', '')}".rstrip(), str(wide[-1])
