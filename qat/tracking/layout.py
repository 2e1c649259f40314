"""Layout of a run in TensorBoard: names of files and tag groups, curves that share a chart."""

from collections.abc import Mapping

EVENTS = "tb"
"""Name of the folder of event files in a run's folder."""
COLUMNS = ".columns"
"""Suffix of the event file that describes the columns of the HPARAMS tab."""
FIRST_GROUP = "0 all runs"
"""Tag group of comparisons of runs; it sorts before the groups of a single run."""
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
"""Category → chart → regular expressions, which TensorBoard matches from the start of a tag."""


def multiline_layout() -> dict[str, dict[str, list[object]]]:
    """The charts as ``SummaryWriter.add_custom_scalars`` takes them; patterns match whole tags.

    Example:
        >>> multiline_layout()["Loss"]
        {'training': ['Multiline', ['train/loss$', 'val/loss$']]}
    """
    return {
        category: {title: ["Multiline", [f"{tag}$" for tag in tags]] for title, tags in own.items()}
        for category, own in CHARTS.items()
    }
