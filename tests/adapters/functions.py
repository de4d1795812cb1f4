"""Functions that stand for instruments, importable by name."""

import math
import os

import anyio
import anyio.lowlevel
from tests.adapters import program

from titrant import SubmissionRefused
from titrant.ports import Result


def square(conditions):
    return conditions["x"] ** 2


async def awaited(conditions):
    await anyio.lowlevel.checkpoint()
    return conditions["x"] ** 2


def instrument(conditions):
    """The program as a function; what was not carried out as planned it says in titrant's words."""
    try:
        told = program.evaluate(conditions)
    except program.Refused as exc:
        raise SubmissionRefused(str(exc)) from exc
    if math.isnan(told["y"]):
        raise ValueError("not measured")
    same = told["x"] == conditions["x"]
    return Result(data={"y": told["y"]}, executed=None if same else {"x": told["x"]})


def measured(conditions):
    """The program as a function that gives all it knows."""
    return program.evaluate(conditions)


def where(conditions):
    return float(os.getpid())


def overheated(conditions):
    raise RuntimeError("overheated")


def dies(conditions):
    os._exit(3)


async def hangs(conditions):
    await anyio.sleep_forever()


NOT_CALLABLE = 5
