"""All parts of the API together: what can be asked of an engine, whoever opened it."""

from __future__ import annotations

from titrant.api.answering import Answering
from titrant.api.approving import Approving
from titrant.api.auditing import Auditing
from titrant.api.changing import Changing
from titrant.api.comparing import Comparing
from titrant.api.configuring import Configuring
from titrant.api.learning import Learning
from titrant.api.running import Running
from titrant.api.telling import Telling
from titrant.engine import Engine


class Calls(Configuring, Changing, Learning, Telling, Comparing, Approving, Auditing, Running, Answering):
    """Everything that can be asked of an engine; ``AsyncClient`` adds the opening and closing of one."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
