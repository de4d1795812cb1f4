"""What a person sees of a run: a live view in a terminal, plain lines elsewhere; loaded only where somebody looks."""

from titrant.progress.follow import follow

__all__ = ["follow"]
