"""The actors: one file each, sharing nothing but the messages of ``actors/mail.py``."""
