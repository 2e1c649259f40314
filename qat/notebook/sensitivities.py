"""``qat.sensitivities``: what each width of each tensor costs, as a DataFrame."""

from pathlib import Path
from typing import TYPE_CHECKING

from qat.base.errors import InputError
from qat.notebook.run_folder import Run, run_folder
from qat.records.side_files.allocation import AllocationFile
from qat.records.side_files.sensitivity import SensitivityFile
from qat.records.side_files.typed_file import read_side_file
from qat.records.store import seen_record

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("name", "slot", "bits", "score", "chosen")


def sensitivities(run: Run, runs: Path | str | None = None) -> "pd.DataFrame":
    """The sensitivities that a run in mode ``mixed`` measured, and the widths that it chose.

    There is a row for each width of each tensor: ``name`` of the layer, ``slot`` (``weight``, or
    ``act`` for the input), ``bits``, ``score``, and ``chosen``: whether the tensor has this width
    in the run's plan. ``frame.attrs`` has the ``metric``, its ``unit`` and whether a higher score
    is worse (``higher_is_worse``).

    Args:
        run: The run's record, folder, id, the first characters of its id, or its name.
        runs: Folder of runs, if the run is not in the usual one.

    Raises:
        KeyError: If there is no such run.
        ValueError: If the run measured none, or a file is not the one that it wrote.

    Example:
        >>> import qat
        >>> small = ["data=synthetic", "data.train_images=64", "float=smoke", "tracking=none"]
        >>> record = qat.run(*small, "mode=mixed", "scheme=w4a4", "sensitivity.images=64")
        >>> frame = qat.sensitivities(record)
        >>> sorted(set(frame.bits)), frame.attrs["metric"]
        ([2, 3, 4, 6, 8], 'output_kl')
    """
    import pandas as pd

    folder = run_folder(run, runs)
    record = seen_record(folder)
    table = read_side_file(folder, record, SensitivityFile)
    allocation = read_side_file(folder, record, AllocationFile)
    if table is None or allocation is None:
        raise InputError(
            f"run {record.id} ({record.mode}, {record.status}) has no sensitivity.json: "
            "a finished run of mode mixed has one"
        )
    chosen = {(slot.layer, slot.slot, slot.bits) for slot in allocation.slots}
    rows = [
        (row.layer, row.slot, row.bits, row.score, (row.layer, row.slot, row.bits) in chosen)
        for row in table.rows
    ]
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    frame.attrs |= {
        "metric": table.metric,
        "unit": table.unit,
        "higher_is_worse": table.higher_is_worse,
    }
    return frame
