"""A study's view for TensorBoard, from its index and records. Loads torch only to write it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from qat.base.errors import RequestError
from qat.base.printing import complain_line
from qat.records.schema import canonical_json
from qat.records.store import find_records
from qat.records.studies import runs_of
from qat.report.requested_table import TableRequest, requested_table
from qat.report.study_figures import study_figures
from qat.tables.errors import TableError
from qat.tables.render import render
from qat.tracking.layout import EVENTS
from qat.tracking.study import build_study_view, view_names


def write_study_view(runs: Path, study: str, scale: str, layout: Mapping[str, Any]) -> Path | None:
    """Update the view ``<runs>.tensorboard/<study>-<scale>`` with the study's runs.

    The view contains all finished runs of the study at this scale, also those of other sweeps. If
    it cannot be written, a line says so and nothing else fails.

    Args:
        runs: The runs folder.
        study: Name of the study.
        scale: Scale of the runs.
        layout: Fields of :class:`qat.tables.layout.TableSpec`.

    Returns:
        The folder for TensorBoard; None if no finished run has events, or it could not be written.
    """
    folders = {path.name: path for path in runs_of(runs, study, scale)}
    readable, _ = find_records([path for path in folders.values() if path.exists()])
    records = [
        record for record in readable if record.id in folders
    ]  # a folder may contain the record of another run
    shown = [r for r in records if r.status == "done" and (folders[r.id] / EVENTS).is_dir()]
    if not shown:
        return None
    names = {name: folders[id_] for name, id_ in view_names(shown).items()}
    table = _table(TableRequest([folders[record.id] for record in records], dict(layout), study))
    content = canonical_json([[record.id, record.metrics] for record in shown])
    try:
        return build_study_view(
            runs,
            f"{study}-{scale}",
            names,
            table,
            lambda: study_figures(shown, study),
            content,
            shown,
        )
    except OSError as error:
        complain_line(f"no TensorBoard view of the study: {error}")
        return None


def _table(request: TableRequest) -> str:
    try:
        return render(requested_table(request))
    except (TableError, RequestError) as error:  # the layout may not fit runs of other sweeps
        return f"no table: {error}"
