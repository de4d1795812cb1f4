"""Acting on an experiment from another process: by name, on a running engine or on a log that nobody holds."""
