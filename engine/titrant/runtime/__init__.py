"""Actors in general: clock, mailboxes, supervision, calls into foreign code."""
