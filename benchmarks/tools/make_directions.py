"""Make engine/titrant/generators/directions.py: our own initial direction numbers for Sobol's sequence.

Polynomials are found by search over GF(2). Initial numbers are drawn at random, many candidates for each
dimension, and the one whose 2-D projections with the dimensions before it have the smallest t-values is kept.
The t-value of a projection at 2^m points is found exactly, from ranks over GF(2), for all candidates and all
earlier dimensions at once. Takes a few minutes:  python benchmarks/tools/make_directions.py
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt

DIMENSIONS = 64
CANDIDATES = 2500
SIZES = (2, 3, 4, 5, 6, 7, 8, 9, 10, 12)  # points are 2^m; what experiments use, and a little beyond
SEED = 20261121
TARGET = Path(__file__).parents[2] / "engine/titrant/generators/directions.py"

Bits = npt.NDArray[np.uint16]


def multiply_by_x(value: int, polynomial: int, degree: int) -> int:
    value <<= 1
    return value ^ polynomial if value >> degree else value


def is_primitive(polynomial: int, degree: int) -> bool:
    """True if x generates the field: its powers do not come back to 1 before 2^degree - 1 steps."""
    value = 1
    for step in range(1, 2**degree):
        value = multiply_by_x(value, polynomial, degree)
        if value == 1:
            return step == 2**degree - 1
    return False


def primitive_polynomials(count: int) -> list[int]:
    """The first primitive polynomials in order of degree, as integers with the leading bit set."""
    found: list[int] = []
    degree = 1
    while len(found) < count:
        found += [p for p in range(2**degree + 1, 2 ** (degree + 1), 2) if is_primitive(p, degree)]
        degree += 1
    return found[:count]


def columns(polynomial: int, initial: tuple[int, ...], m: int) -> list[int]:
    """The first m columns of the generating matrix as m-bit integers, the most significant digit on top."""
    degree = polynomial.bit_length() - 1
    numbers = list(initial)
    for k in range(degree, m):
        value = numbers[k - degree] ^ (numbers[k - degree] << degree)
        for i in range(1, degree):
            if polynomial >> (degree - i) & 1:
                value ^= numbers[k - i] << i
        numbers.append(value)
    return [numbers[k] << (m - 1 - k) for k in range(m)]


def rows(matrix_columns: list[int], m: int) -> list[int]:
    """Transpose: row i as an integer with one bit for each column."""
    return [sum((matrix_columns[k] >> (m - 1 - i) & 1) << k for k in range(m)) for i in range(m)]


def insert(basis: list[Bits], vector: Bits) -> npt.NDArray[np.bool_]:
    """Add a vector to each basis in echelon form; False where it was dependent."""
    added = np.zeros(vector.shape, bool)
    for bit in range(len(basis) - 1, -1, -1):
        here = (vector >> bit) & 1 == 1
        empty = basis[bit] == 0
        basis[bit] = np.where(here & empty, vector, basis[bit])
        vector = np.where(here, np.where(empty, 0, vector ^ basis[bit]), vector)
        added |= here & empty
    return added


def t_values(first: npt.NDArray[np.uint16], second: npt.NDArray[np.uint16], m: int) -> npt.NDArray[np.int64]:
    """t of the 2-D nets of 2^m points; ``first`` is a x m rows, ``second`` b x m rows, the result a x b."""
    shape = (first.shape[0], second.shape[0])
    strength = np.full(shape, m)
    for k1 in range(m):
        basis = [np.zeros(shape, np.uint16) for _ in range(m)]
        for i in range(k1):
            insert(basis, np.broadcast_to(first[:, None, i], shape))
        independent = np.ones(shape, bool)
        reached = np.full(shape, k1)
        for i in range(m - k1):
            independent &= insert(basis, np.broadcast_to(second[None, :, i], shape))
            reached += independent
        strength = np.minimum(strength, reached)
    return m - strength


def choose(polynomial: int, before: dict[int, npt.NDArray[np.uint16]], rng: np.random.Generator) -> tuple[int, ...]:
    degree = polynomial.bit_length() - 1
    tried = {tuple(int(2 * rng.integers(2**i) + 1) for i in range(degree)) for _ in range(CANDIDATES)}
    candidates = sorted(tried)
    cost = np.zeros(len(candidates))
    for m in SIZES:
        own = np.array([rows(columns(polynomial, c, m), m) for c in candidates], np.uint16)
        t = t_values(before[m], own, m)
        # Early dimensions count more: experiments have few parameters, and pairs among the first are always there.
        weight = 0.96 ** np.arange(len(t))[:, None]
        cost += (weight * np.exp2(t)).sum(0) / weight.sum()
    return candidates[int(cost.argmin())]


def main() -> None:
    rng = np.random.default_rng(SEED)
    before = {m: np.array([[1 << i for i in range(m)]], np.uint16) for m in SIZES}
    table: list[tuple[int, tuple[int, ...]]] = []
    for polynomial in primitive_polynomials(DIMENSIONS - 1):
        initial = choose(polynomial, before, rng)
        table.append((polynomial, initial))
        for m in SIZES:
            row = np.array([rows(columns(polynomial, initial, m), m)], np.uint16)
            before[m] = np.concatenate([before[m], row])
        sys.stderr.write(f"{len(table) + 1}: {polynomial} {initial}\n")
    lines = [
        '"""Polynomials over GF(2) and direction numbers, made by benchmarks/tools/make_directions.py."""',
        "",
        "# One row for each dimension from the second on: the polynomial's bits, leading one first, and m_1, m_2, ...",
        "DIRECTIONS: tuple[tuple[int, tuple[int, ...]], ...] = (",
        *[f"    ({polynomial}, {initial!r})," for polynomial, initial in table],
        ")",
    ]
    TARGET.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
