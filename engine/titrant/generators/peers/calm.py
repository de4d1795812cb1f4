"""What optimizers of others are run in: no warnings on the engine's stderr, one thread, and a chance of their own."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quiet() -> Iterator[None]:
    """Warnings are kept from everybody."""
    # Recorded, not only filtered: BoTorch sets filters of its own to have its warnings shown.
    with warnings.catch_warnings(record=True):
        warnings.simplefilter("ignore")
        yield


@contextmanager
def one_thread() -> Iterator[None]:
    """Torch with one thread, and its chance as before afterwards: more would only take cores from the instruments."""
    import torch  # noqa: PLC0415 - comes with the optimizer

    threads = torch.get_num_threads()
    with torch.random.fork_rng(devices=[]):
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(threads)
