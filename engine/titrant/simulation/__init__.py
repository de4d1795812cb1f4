"""Simulated laboratories: the same engine, runners whose instruments are a formula, in virtual or in real time."""

from titrant.simulation.behaviour import Lognormal
from titrant.simulation.lab import SimulatedLab
from titrant.simulation.polled import SimulatedMetric, SimulatedPolledLab
from titrant.simulation.ready import branin, hartmann6, mixture, reaction

__all__ = [
    "Lognormal",
    "SimulatedLab",
    "SimulatedMetric",
    "SimulatedPolledLab",
    "branin",
    "hartmann6",
    "mixture",
    "reaction",
]
