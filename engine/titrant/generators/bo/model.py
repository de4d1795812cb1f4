"""The model: one Gaussian process for each metric, in BoTorch."""

from __future__ import annotations

import numpy as np
import torch
from botorch.models import ModelListGP, SingleTaskGP
from gpytorch.kernels import MaternKernel, ScaleKernel
from torch import Tensor

from titrant.generators.axes import Floats
from titrant.generators.gp import hyperparameters
from titrant.generators.gp.data import Data

NAME = "SingleTaskGP(Matern-5/2)"


def tensor(values: Floats) -> Tensor:
    """The same numbers as float64, in the same shape."""
    return torch.as_tensor(np.ascontiguousarray(values), dtype=torch.float64)


def fit(data: Data) -> SingleTaskGP | ModelListGP:
    """Fit a model of the standardized metrics.

    Args:
        data: At least one point; ``x`` is ``n x w``, ``y`` ``n x m``.

    Returns:
        A model of ``m`` outputs over ``w`` columns, ready to predict.
    """
    x = tensor(data.x)  # n x w
    models = [_fit_one(x, data, j) for j in range(len(data.metrics))]
    return models[0] if len(models) == 1 else ModelListGP(*models)


def _fit_one(x: Tensor, data: Data, j: int) -> SingleTaskGP:
    """The model of metric ``j``; ``x`` is ``n x w``."""
    found = hyperparameters.fit(data.x, data.y[:, j], data.variance[j])
    variance = data.variance[j]
    model = SingleTaskGP(
        x,
        tensor(data.y[:, j : j + 1]),  # n x 1
        train_Yvar=None if variance is None else tensor(data.filled(j, found.noise)[1][:, None]),
        covar_module=ScaleKernel(MaternKernel(nu=2.5, ard_num_dims=x.shape[-1])),
        outcome_transform=None,
    )
    model.covar_module.base_kernel.lengthscale = tensor(found.lengthscales)
    model.covar_module.outputscale = found.outputscale
    model.mean_module.initialize(constant=found.mean)
    if variance is None:
        # The likelihood refuses less than its own floor, which stands far above ours.
        model.likelihood.noise_covar.raw_noise_constraint.lower_bound.fill_(1e-8)
        model.likelihood.noise_covar.noise = found.noise
    model.eval()
    model.requires_grad_(requires_grad=False)
    return model


def predict(model: SingleTaskGP | ModelListGP, data: Data, x: Floats) -> list[dict[str, tuple[float, float]]]:
    """Mean and SEM of the mean at each row, in the metrics' own units.

    Args:
        model: Of the standardized metrics.
        data: What it was fitted to.
        x: ``n x w``.
    """
    with torch.no_grad():
        posterior = model.posterior(tensor(x))
        mean = data.shift + data.scale * posterior.mean.numpy()  # n x m
        sem = data.scale * posterior.variance.clamp_min(0.0).sqrt().numpy()  # n x m
    return [{name: (float(mean[i, j]), float(sem[i, j])) for j, name in enumerate(data.metrics)} for i in range(len(x))]
