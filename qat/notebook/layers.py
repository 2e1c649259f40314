"""``qat.layers``: what quantization did to each tensor of a run, as a DataFrame."""

from pathlib import Path
from typing import TYPE_CHECKING

from qat.base.errors import InputError
from qat.notebook.frames import tensor_frame
from qat.notebook.run_folder import Run, run_folder
from qat.records.side_files.layers import read_layers
from qat.records.store import seen_record
from qat.report.layer_rows import tensor_rows_of

if TYPE_CHECKING:
    import pandas as pd


def layers(run: Run, runs: Path | str | None = None) -> "pd.DataFrame":
    """The rows of a run's ``layers.json``.

    There is a row for each tensor: ``slot`` is ``weight``, ``act`` (the input of a layer),
    ``tensor`` (between layers) or ``output``. The columns are the attributes of
    :class:`qat.analysis.rows.TensorRow`, such as ``sqnr_db``, ``clipped`` and ``used_codes``.

    Args:
        run: The run's record, folder, id, the first characters of its id, or its name.
        runs: Folder of runs, if the run is not in the usual one.

    Raises:
        KeyError: If there is no such run.
        ValueError: If the run has no ``layers.json``, or the file is not the one that it wrote.

    Example:
        >>> import qat
        >>> small = ["data=synthetic", "data.train_images=64", "float=smoke", "tracking=none"]
        >>> record = qat.run(*small, "scheme=w4a4")
        >>> frame = qat.layers(record)
        >>> frame[frame.slot == "weight"].bits.tolist()
        [8, 4, 4, 4, 8]
    """
    folder = run_folder(run, runs)
    record = seen_record(folder)
    rows = tensor_rows_of(read_layers(folder, record))
    if not rows:
        raise InputError(
            f"run {record.id} ({record.mode}, {record.status}) has no layers.json: "
            "a finished run of mode static, dynamic, qat or mixed has one"
        )
    return tensor_frame(rows)
