"""Overrides that make a run of the command line last a second."""

USUAL = [
    *("data=synthetic", "float=smoke", "tracking=none", "tracking.figures=false"),
    *("measure.repeats=1", "measure.warmup=0"),
]
SMALL = [*USUAL, "data.train_images=160", "data.test_images=64"]
"""The same of fewer images."""
TINY = [*SMALL, "data.train_images=64", "data.test_images=32", "+data.options.image_size=8"]
"""The same of smaller images."""
