"""The SiLA 2 reactor of ``sila.py`` on an independent implementation: ``python -m ...sila_independent PORT``.

Its feature definition is the one that the UniteLabs server gives of itself: if a client of the one can drive the
other, both speak SiLA and not a dialect of their own.
"""

import sys
import threading
import uuid
from pathlib import Path

from sila2.discovery import broadcaster
from sila2.framework import DefinedExecutionError, Feature
from sila2.server import FeatureImplementationBase, SilaServer
from tests.adapters.servers.process import LOOPBACK
from tests.adapters.servers.reactor import LIMIT, begin, hangs, yield_at
from tests.adapters.servers.sila import STEPS

FEATURE = Feature((Path(__file__).parents[1] / "data/Reactor.sila.xml").read_text())


class Reactor(FeatureImplementationBase):
    """The reactor; the library calls the method in a thread."""

    def RunReaction(self, Temperature, *, metadata, instance):  # noqa: N802, N803  (the feature's words)
        begin(Temperature)
        instance.begin_execution()
        for step in range(STEPS):
            instance.progress = step / STEPS
            instance.send_intermediate_response(20.0 + (Temperature - 20.0) * step / STEPS)
        if hangs(Temperature):
            threading.Event().wait()
        if Temperature > LIMIT:
            raise DefinedExecutionError(FEATURE.defined_execution_errors["TooHotError"], f"{Temperature} degrees")
        return yield_at(Temperature)


class NoDiscovery:
    """In the place of multicast DNS, which the library opens on every interface even where discovery is off."""


def main(port):
    broadcaster.Zeroconf = NoDiscovery
    server = SilaServer(
        server_name="Reactor",
        server_type="Reactor",
        server_description="A reactor",
        server_version="1.0",
        server_vendor_url="https://example.org",
        server_uuid=uuid.UUID(int=1),
    )
    server.set_feature_implementation(FEATURE, Reactor(server))
    server.start_insecure(LOOPBACK, port, enable_discovery=False)
    threading.Event().wait()


if __name__ == "__main__":
    main(int(sys.argv[1]))
