"""What every event log must do, as a test class.

Subclass it and give it the fixture ``make_log``; a durable log gives ``reopen`` too::

    class TestMyLog(LogContract):
        @pytest.fixture
        def make_log(self, tmp_path):
            return lambda: MyLog.create(tmp_path / "my.log")
"""

from __future__ import annotations

from titrant.testing.log_contract.lasting import Lasting
from titrant.testing.log_contract.refusing import Refusing
from titrant.testing.log_contract.repeating import Repeating
from titrant.testing.log_contract.requests import append, commit_one
from titrant.testing.log_contract.storing import Storing

__all__ = ["LogContract", "append", "commit_one"]


class LogContract(Storing, Repeating, Refusing, Lasting):
    """The tests every ``EventLog`` must pass."""
