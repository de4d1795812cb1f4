"""The rules: ``decide`` says what follows from a command, ``evolve`` what an event changes; both are pure."""
