"""What all adapters have in common; an adapter imports this, the ports, and its library on use.

::

    Config, Secret, Setting, Settings   what a person writes down           config.py, settings.py
    Errors, Start                       foreign errors become ours          outcomes.py
    Session, TcpLine, Blocking          one exchange at a time              session.py, tcp.py, blocking.py
    Shared                              a connection for many runs at once  shared.py
    AdapterRunner, AdapterMetric        connect, carry out, leave safe      runner.py
    AskedConfig, AskedRunner            instruments told and asked in text  asking.py
    WrittenConfig, WrittenRunner        orders and results in files         written.py
    ProgramConfig, ProgramRunner        programs as instruments             programs.py, keeper.py
    (not imported here)                 instruments behind HTTP             http.py, documents.py, mapping.py
    library                             an extra, imported on use           blocking.py
"""

from titrant_adapters.shape.asking import AskedConfig, AskedRunner
from titrant_adapters.shape.blocking import Blocking, library
from titrant_adapters.shape.config import Config, Port, Seconds, Secret, bad
from titrant_adapters.shape.outcomes import COMMON, Errors, Start
from titrant_adapters.shape.programs import ProgramConfig, ProgramRunner
from titrant_adapters.shape.runner import AdapterMetric, AdapterRunner, Course
from titrant_adapters.shape.session import Line, Session
from titrant_adapters.shape.settings import Deviation, Setting, Settings
from titrant_adapters.shape.shared import Shared
from titrant_adapters.shape.tcp import TcpLine
from titrant_adapters.shape.written import WrittenConfig, WrittenRunner, from_json, from_table, to_text

__all__ = [
    "COMMON",
    "AdapterMetric",
    "AdapterRunner",
    "AskedConfig",
    "AskedRunner",
    "Blocking",
    "Config",
    "Course",
    "Deviation",
    "Errors",
    "Line",
    "Port",
    "ProgramConfig",
    "ProgramRunner",
    "Seconds",
    "Secret",
    "Session",
    "Setting",
    "Settings",
    "Shared",
    "Start",
    "TcpLine",
    "WrittenConfig",
    "WrittenRunner",
    "bad",
    "from_json",
    "from_table",
    "library",
    "to_text",
]
