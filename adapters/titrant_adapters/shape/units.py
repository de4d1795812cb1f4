"""Units, and what one is in another."""

from __future__ import annotations

UNITS: dict[str, tuple[str, float, float]] = {
    # unit: (what it measures, factor, offset): value * factor + offset is in the first unit of its kind
    "K": ("temperature", 1, 0),
    "degC": ("temperature", 1, 273.15),
    "degF": ("temperature", 5 / 9, 459.67 * 5 / 9),
    **{unit: ("time", factor, 0) for unit, factor in {"s": 1, "ms": 1e-3, "min": 60, "h": 3600}.items()},
    **{unit: ("volume", factor, 0) for unit, factor in {"L": 1, "mL": 1e-3, "uL": 1e-6}.items()},
    **{unit: ("mass", factor, 0) for unit, factor in {"kg": 1, "g": 1e-3, "mg": 1e-6, "ug": 1e-9}.items()},
    **{
        unit: ("length", factor, 0) for unit, factor in {"m": 1, "cm": 1e-2, "mm": 1e-3, "um": 1e-6, "nm": 1e-9}.items()
    },
    **{unit: ("voltage", factor, 0) for unit, factor in {"V": 1, "mV": 1e-3, "kV": 1e3}.items()},
    **{unit: ("current", factor, 0) for unit, factor in {"A": 1, "mA": 1e-3, "uA": 1e-6}.items()},
    **{unit: ("power", factor, 0) for unit, factor in {"W": 1, "mW": 1e-3, "kW": 1e3}.items()},
    **{unit: ("frequency", factor, 0) for unit, factor in {"Hz": 1, "kHz": 1e3, "MHz": 1e6, "rpm": 1 / 60}.items()},
    **{unit: ("a share", factor, 0) for unit, factor in {"1": 1, "%": 1e-2}.items()},
    **{unit: ("amount", factor, 0) for unit, factor in {"mol": 1, "mmol": 1e-3, "umol": 1e-6}.items()},
    **{unit: ("concentration", f, 0) for unit, f in {"mol/L": 1, "mmol/L": 1e-3, "M": 1, "mM": 1e-3}.items()},
    **{
        unit: ("pressure", factor, 0)
        for unit, factor in {"Pa": 1, "kPa": 1e3, "mbar": 100, "bar": 1e5, "psi": 6894.757293168}.items()
    },
    **{
        unit: ("flow", factor, 0)
        for unit, factor in {"L/min": 1, "mL/min": 1e-3, "uL/min": 1e-6, "L/h": 1 / 60, "mL/h": 1e-3 / 60}.items()
    },
}


def between(unit: str, other: str) -> tuple[float, float]:
    """Factor and offset that make a number in *unit* one in *other*, which measures the same."""
    (_, factor, offset), (_, to_factor, to_offset) = UNITS[unit], UNITS[other]
    return factor / to_factor, (offset - to_offset) / to_factor
