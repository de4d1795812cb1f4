"""What the simulated lab is made of: settings in, measured values out, behind one small port."""

from titrant_adapters.twin.physics.base import Input, MaterialError, Output, Physics

__all__ = ["Input", "MaterialError", "Output", "Physics"]
