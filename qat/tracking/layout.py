"""How TensorBoard lays out what a run writes: names that sort first, curves that share a chart."""

from collections.abc import Mapping

EVENTS = "tb"
"""Folder of the event files in a run's folder."""
COLUMNS = ".columns"
"""End of the name of the event file that describes the columns of the HPARAMS tab."""
FIRST_GROUP = "0 all runs"
"""Tag group of what compares runs: it sorts before every group of a run's own."""
CHARTS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "Accuracy": {
        "training": ("train/top1", "val/top1"),
        "validation, best and last": ("best/val_top1", "last/val_top1"),
    },
    "Loss": {"training": ("train/loss", "val/loss")},
    "Steps": {"weights": (r"scale/.*\.weight",), "inputs": (r"scale/.*\.act",)},
    "Clipping": {"weights": (r"clipping/.*\.weight",), "inputs": (r"clipping/.*\.act",)},
    "Flips": {"weights": (r"flips/.*",)},
}
"""Category → chart → regular expressions of its tags, which TensorBoard matches from the start."""


def multiline_layout() -> dict[str, dict[str, list[object]]]:
    """The charts as ``SummaryWriter.add_custom_scalars`` takes them, each matching whole tags."""
    return {
        category: {title: ["Multiline", [f"{tag}$" for tag in tags]] for title, tags in own.items()}
        for category, own in CHARTS.items()
    }
