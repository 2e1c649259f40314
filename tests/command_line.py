"""Overrides that make a run of the command line last a second."""

SMALL = ["data=synthetic", "float=smoke", "tracking=none", "measure.repeats=1", "measure.warmup=0"]
TINY = [*SMALL, "data.train_images=64", "data.test_images=32", "+data.options.image_size=8"]
"""The same of fewer and smaller images."""
