"""``qat diagnose`` shows where a run lost accuracy, layer by layer, and which settings to try."""

from pathlib import Path

from qat.base.exit_codes import DONE
from qat.report.console import console
from qat.report.diagnosed import diagnosis_of


def diagnose_command(folder: Path) -> int:
    """Print the layers of a run, the layers that stand out, and the settings to try.

    Raises:
        RequestError: If the folder has no run, or the run has no layer data.
        SideFileError: If ``layers.json`` is missing, damaged or not the file that the run wrote.
    """
    diagnosis_of(folder).show(console())
    return DONE
