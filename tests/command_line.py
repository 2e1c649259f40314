"""Overrides that make a run of the command line last a second."""

SMALL = ["data=synthetic", "float=smoke", "tracking=none", "measure.repeats=1", "measure.warmup=0"]
