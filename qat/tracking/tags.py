"""Tags of metrics that several files of tracking use."""

BEST, LAST = "best/val_top1", "last/val_top1"
"""Best and last validation accuracy of a training, fractions."""
