"""What a log alone can tell: any moment of an experiment, what changed and who changed it, and why each trial was made.

Nothing here runs a person's code, fits a model or asks a clock, but for ``decisions``, which makes suggestions again.
"""
