"""A lab of one's own, which the experiment file own_lab.toml names: one function of the conditions.

titrant check examples/own_lab.toml
titrant run examples/own_lab.toml --log own_lab.titrant
python examples/own_lab.py --temperature 80 --minutes 20     # one trial by hand
"""

from __future__ import annotations

import argparse


def react(parameters: dict[str, float]) -> dict[str, float]:
    """Carry one trial out: here a formula, there whatever talks to your instruments."""
    return {"yield": parameters["temperature_c"] / 120, "impurity": parameters["minutes"] / 2000}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--temperature", type=float, default=80.0, help="in °C (default: 80)")
    parser.add_argument("--minutes", type=float, default=20.0, help="default: 20")
    options = parser.parse_args()
    for name, value in react({"temperature_c": options.temperature, "minutes": options.minutes}).items():
        print(f"{name} = {value:.3f}")


if __name__ == "__main__":
    main()
