"""What all adapters have in common; an adapter imports this, the ports, and its library on use.

::

    Config, Secret, Setting, Settings   what a person writes down           config.py, secret.py, setting(s).py
    Errors, Start                       foreign errors become ours          outcomes.py
    Session, TcpLine, Blocking          one exchange at a time              session.py, line.py, tcp.py, blocking.py
    Shared                              a connection for many runs at once  shared.py
    AdapterRunner, AdapterMetric        connect, carry out, leave safe      runner.py, metric.py, connected.py
    Course                              one attempt: started? its names     course.py
    AdapterRunner.stop_run              stop one run, and no other          stopping.py
    AskedConfig, AskedRunner            instruments told and asked in text  asking.py, asked_config.py
    WrittenConfig, WrittenRunner        orders and results in files         written.py, tables.py
    ProgramConfig, ProgramRunner        programs as instruments             programs.py, program_config.py, keeper.py
    (not imported here)                 instruments behind HTTP             http.py, documents.py, mapping.py, mapped.py
    library                             an extra, imported on use           blocking.py
"""

from titrant_adapters.shape.asked_config import AskedConfig
from titrant_adapters.shape.asking import AskedRunner
from titrant_adapters.shape.blocking import Blocking, library
from titrant_adapters.shape.config import Config, Port, Seconds, bad
from titrant_adapters.shape.course import Course
from titrant_adapters.shape.line import Line
from titrant_adapters.shape.metric import AdapterMetric
from titrant_adapters.shape.outcomes import COMMON, Errors, Start
from titrant_adapters.shape.program_config import ProgramConfig
from titrant_adapters.shape.programs import ProgramRunner
from titrant_adapters.shape.runner import AdapterRunner
from titrant_adapters.shape.secret import Secret
from titrant_adapters.shape.session import Session
from titrant_adapters.shape.setting import Setting
from titrant_adapters.shape.settings import Deviation, Settings
from titrant_adapters.shape.shared import Shared
from titrant_adapters.shape.tables import from_json, from_table, to_text
from titrant_adapters.shape.tcp import TcpLine
from titrant_adapters.shape.waiting import bounded
from titrant_adapters.shape.written import WrittenConfig, WrittenRunner

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
    "bounded",
    "from_json",
    "from_table",
    "library",
    "to_text",
]
