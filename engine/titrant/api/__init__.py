"""What people call, by subject; ``AsyncClient`` is all of it together."""
