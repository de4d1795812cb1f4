"""What every test may rely on."""

import pytest
import structlog


@pytest.fixture(autouse=True)
def _diagnostics_as_they_were():
    """A server that a test runs in this process may configure structlog, as unitelabs-cdk does: not for all others."""
    yield
    if structlog.is_configured():
        structlog.reset_defaults()
