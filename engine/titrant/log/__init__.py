"""The event log: the only truth, on disk or in memory."""
