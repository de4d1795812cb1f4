"""Several objectives at once, in numpy: how much of the trade-off a trial is expected to win.

No torch: the same Gaussian processes as for one objective (``generators/gp``), and acquisition functions that are exact
for them.  Up to ``build.MOST_BY_VOLUME`` objectives that is the expected hypervolume improvement; beyond, where the
boxes become too many, the expected improvement of one random scalarization for each suggestion.
"""
