"""What an experiment is: frozen values with pure methods, no clock, no I/O."""
