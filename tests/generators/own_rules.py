"""Functions that tests name as constraints."""


def below_the_curve(values):
    return values["x"] * values["y"] <= 0.2


def room(values):
    """How far it is to the rim of a small disc: not negative inside."""
    return 0.05 - ((values["x"] - 0.7) ** 2 + (values["y"] - 0.2) ** 2) ** 0.5


def broken(values):
    raise KeyError("no such solvent")


def never(values):
    return False


def far(values):
    return values["x"] >= 0.9


def rising(values):
    return values["y"] - values["x"]


NO_FUNCTION = 3
