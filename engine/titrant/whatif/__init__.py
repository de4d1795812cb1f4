"""What if: the same experiment with another method, parallelism or budget, answered by a model of the log."""

from titrant.whatif.report import Estimate, Report, Setting, Trust
from titrant.whatif.running import whatif

__all__ = ["Estimate", "Report", "Setting", "Trust", "whatif"]
