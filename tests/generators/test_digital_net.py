"""Our Sobol sequence: even in each coordinate, as even as scipy's in all, the same whenever it is asked."""

import numpy as np
import pytest
from scipy.stats import qmc

from titrant.generators.digital_net import MAX_DIMENSION, SobolSequence
from titrant.generators.directions import DIRECTIONS


def degree(polynomial):
    return polynomial.bit_length() - 1


def powers_of_x(polynomial):
    """How many different powers x has modulo the polynomial."""
    value, seen = 1, 0
    while seen == 0 or value != 1:
        value <<= 1
        value ^= polynomial if value >> degree(polynomial) else 0
        seen += 1
    return seen


def test_every_polynomial_is_primitive_and_used_once():
    assert all(powers_of_x(p) == 2 ** degree(p) - 1 for p, _ in DIRECTIONS)
    assert len({p for p, _ in DIRECTIONS}) == MAX_DIMENSION - 1


def test_initial_numbers_are_odd_and_below_their_power_of_two():
    assert all(m % 2 == 1 and m < 2 ** (k + 1) for _, initial in DIRECTIONS for k, m in enumerate(initial))
    assert all(len(initial) == degree(p) for p, initial in DIRECTIONS)


@pytest.mark.parametrize("k", [0, 1, 3, 6, 10])
def test_each_dyadic_interval_of_each_coordinate_is_hit_exactly_once(k):
    points = SobolSequence(MAX_DIMENSION, seed=k).points(0, 2**k)
    intervals = np.sort(np.floor(points * 2**k).astype(int), axis=0)

    assert (intervals == np.arange(2**k)[:, None]).all()


def test_the_same_holds_for_every_later_stretch_of_that_length():
    points = SobolSequence(8, seed=1).points(3 * 32, 32)

    assert (np.sort(np.floor(points * 32).astype(int), axis=0) == np.arange(32)[:, None]).all()


def test_the_first_two_coordinates_hit_each_elementary_box_exactly_once():
    points = SobolSequence(2, seed=5).points(0, 64)
    for rows in range(7):
        boxes = np.floor(points * [2**rows, 2 ** (6 - rows)]).astype(int)

        assert len(np.unique(boxes, axis=0)) == 64


@pytest.mark.parametrize(("n", "d"), [(16, 2), (20, 6), (64, 6), (100, 20), (128, 40)])
def test_it_is_as_even_as_scipys_sequence(n, d):
    ours = np.mean([qmc.discrepancy(SobolSequence(d, seed).points(0, n)) for seed in range(60)])
    scipys = qmc.Sobol(d, rng=np.random.default_rng(0))
    theirs = []
    for seed in range(60):
        scipys = qmc.Sobol(d, rng=np.random.default_rng(seed))
        theirs.append(qmc.discrepancy(np.concatenate([scipys.random(1) for _ in range(n)])))

    assert ours / np.mean(theirs) < 1.1


@pytest.mark.parametrize("dimension", [3, MAX_DIMENSION + 1])
def test_a_stretch_is_the_same_in_one_piece_and_in_two(dimension):
    sequence = SobolSequence(dimension, seed=9)

    assert (sequence.points(0, 12) == np.concatenate([sequence.points(0, 5), sequence.points(5, 7)])).all()


def test_other_seeds_give_other_points():
    assert (SobolSequence(4, 0).points(0, 8) != SobolSequence(4, 1).points(0, 8)).all()


def test_no_coordinate_is_zero_or_one():
    points = SobolSequence(6, 0).points(0, 4096)

    assert points.min() > 0
    assert points.max() < 1
