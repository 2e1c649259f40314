"""Tags of the measurements of a training in TensorBoard. This module loads no torch."""

TAGS = {"scale": "scale", "clipping": "clipping", "flips": "flips", "sqnr_db": "sqnr_weight_db"}
"""Metric → its tag in TensorBoard."""
