"""The command line: ``titrant COMMAND``; thin over the client and the readers of the log."""
