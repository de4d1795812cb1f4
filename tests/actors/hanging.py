"""A function that tests name as a constraint."""

import threading


def for_ever(values):
    threading.Event().wait()
