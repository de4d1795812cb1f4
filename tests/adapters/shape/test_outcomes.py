"""What a foreign error means, by the phase it comes in; and tables that are complete."""

from __future__ import annotations

import types

import anyio
import pytest

from titrant import ConfigurationError, OutcomeUnknown, SubmissionRefused
from titrant.errors import RunnerError
from titrant_adapters.shape import COMMON, Errors, Start


class ForeignError(Exception):
    pass


class Busy(ForeignError):
    pass


class BadAddress(ForeignError):
    pass


NAME = __name__
ERRORS = Errors({f"{NAME}.ForeignError": "failed", f"{NAME}.Busy": "refused", f"{NAME}.BadAddress": "misconfigured"})


@pytest.mark.parametrize(
    ("raised", "sent", "meant"),
    [
        (Busy("door open"), False, SubmissionRefused),
        (ForeignError("overheated"), True, RunnerError),
        (BadAddress("no such node"), False, ConfigurationError),
        (ConnectionResetError(), False, SubmissionRefused),
        (ConnectionResetError(), True, OutcomeUnknown),
        (anyio.EndOfStream(), True, OutcomeUnknown),
        (TimeoutError(), True, OutcomeUnknown),
    ],
)
def test_an_error_means_what_the_table_says_in_its_phase(raised, sent, meant):
    with pytest.raises(meant) as told, ERRORS.translated(Start(sent=sent), "the oven"):
        raise raised

    assert type(told.value) is meant
    assert told.value.__cause__ is raised
    assert str(told.value).startswith("the oven: ")


def test_an_error_that_is_not_in_the_table_is_a_bug_and_passes():
    with pytest.raises(KeyError), ERRORS.translated(Start(), "the oven"):
        raise KeyError("x")


@pytest.mark.anyio
@pytest.mark.parametrize(("sent", "meant"), [(False, SubmissionRefused), (True, OutcomeUnknown)])
async def test_a_wait_that_takes_too_long_is_read_by_phase(sent, meant):
    with pytest.raises(meant, match=r"heating took longer than 0\.01 s"), Start(sent=sent).within(0.01, "heating"):
        await anyio.sleep_forever()


def test_a_class_that_nobody_listed_is_found():
    library = types.ModuleType(NAME.partition(".")[0])
    library.ForeignError, library.Busy = ForeignError, Busy

    assert Errors({f"{NAME}.Busy": "refused"}).unlisted(library) == [f"{NAME}.ForeignError"]
    assert ERRORS.unlisted(library) == []


def test_a_name_that_leads_nowhere_is_found():
    assert ERRORS.dangling() == []
    assert Errors({f"{NAME}.Bussy": "refused"}).dangling() == [f"{NAME}.Bussy"]
    assert Errors(COMMON).dangling() == []


@pytest.fixture
def anyio_backend():
    return "asyncio"
