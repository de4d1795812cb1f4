"""Functions that stand for instruments, importable by name."""

import os

import anyio
import anyio.lowlevel


def square(conditions):
    return conditions["x"] ** 2


async def awaited(conditions):
    await anyio.lowlevel.checkpoint()
    return conditions["x"] ** 2


def where(conditions):
    return float(os.getpid())


def overheated(conditions):
    raise RuntimeError("overheated")


def dies(conditions):
    os._exit(3)


async def hangs(conditions):
    await anyio.sleep_forever()


NOT_CALLABLE = 5
