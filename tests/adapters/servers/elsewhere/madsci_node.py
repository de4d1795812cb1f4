"""A MADSci node, in its own environment: ``python -m tests.adapters.servers.elsewhere.madsci_node PORT``."""

import sys
import threading

from madsci.common.types.node_types import RestNodeConfig
from madsci.node_module.helpers import action
from madsci.node_module.rest_node_module import RestNode
from tests.adapters.servers.reactor import LIMIT, TooHotError, begin, hangs, yield_at


class ReactorNode(RestNode):
    """The reactor."""

    def startup_handler(self) -> None:
        """Nothing to open."""

    def shutdown_handler(self) -> None:
        """Nothing to close."""

    @action
    def run_reaction(self, temperature: float) -> float:
        """Run a reaction and give its yield."""
        begin(temperature)
        if hangs(temperature):
            threading.Event().wait()
        if temperature > LIMIT:
            raise TooHotError(f"{temperature} degrees")
        return yield_at(temperature)


if __name__ == "__main__":
    # Without its registry, whose lock outlives a killed node by half a minute.
    config = RestNodeConfig(node_url=f"http://127.0.0.1:{sys.argv[1]}/", enable_registry_resolution=False)
    ReactorNode(config).start_node()
