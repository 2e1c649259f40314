"""``qat table`` prints or writes the table of run records. Loads neither torch nor Hydra."""

from collections.abc import Sequence
from pathlib import Path

from qat.base.atomic import write_atomic
from qat.base.errors import RequestError
from qat.base.exit_codes import DONE, FAILED
from qat.base.garbage import no_cycle_search
from qat.base.lines import line_width
from qat.base.printing import complain_line, print_line
from qat.records.store import find_records
from qat.report.printed import print_table
from qat.report.requested_table import TableRequest, published_beside, requested_table
from qat.report.table_look import SUFFIXES, TableLook
from qat.tables.errors import TableError
from qat.tables.points import measured
from qat.tables.points_file import POINTS_NAME, points_csv, read_points
from qat.tables.replication import replication_markdown, replications
from qat.tables.table import Table

REPLICATION_NAME = "replication.md"


def table_command(
    request: TableRequest,
    look: TableLook,
    out: Path | None = None,
    into: Path | None = None,
    wide: bool = False,
) -> int:
    """Print the table, or write it.

    Args:
        request: The runs, the columns and the study.
        look: Format, caption and label. If the request names no format, the table fits the
            terminal; without a terminal it is markdown.
        out: Write the table to this file instead of printing it.
        into: Write the table in every format, and its figures, to this folder.
        wide: Print all columns, also beyond the width of the terminal.

    Returns:
        0 if the table was written, 1 if the records cannot be in one table.

    Raises:
        RequestError: If a folder does not exist or has no record, or a caption or a label is given
            for another format than LaTeX.
    """
    for folder in request.folders:
        if not folder.exists():
            raise RequestError(f"{folder} does not exist; `qat run` makes runs")
    if into is not None and (points := _points_without_runs(request.folders)) is not None:
        return _draw_points(points, into, request.study or points.parent.resolve().name)
    try:
        with no_cycle_search():
            table = requested_table(request)
    except TableError as error:
        complain_line(error)
        return FAILED
    if into is not None:
        _write_all(request, table, look, into)
    elif look.form != "latex" and (look.caption or look.label):
        raise RequestError(
            "--caption and --label work only with LaTeX: add --format latex or --out FILE.tex"
        )
    elif out is not None:
        write_atomic(out, look.render(table))
    elif not look.named and line_width() is not None:
        print_table(table, wide)
    else:
        print(look.render(table))
    return DONE


def _write_all(request: TableRequest, table: Table, look: TableLook, into: Path) -> None:
    from qat.report.study_figures import write_study_figures

    for form, suffix in SUFFIXES.items():
        name = "results" if form == "csv" else "table"
        write_atomic(into / f"{name}{suffix}", look.as_form(form).render(table))
        print_line(into / f"{name}{suffix}")
    study = request.study or ""
    records, _ = find_records(request.folders)
    write_atomic(into / POINTS_NAME, points_csv(measured(records)))
    print(into / POINTS_NAME)
    compared = replications(records, published_beside(request.study, records))
    if compared:
        write_atomic(into / REPLICATION_NAME, replication_markdown(compared))
        print_line(into / REPLICATION_NAME)
    runs = {path.name: path for folder in request.folders for path in (folder, *folder.glob("*"))}
    for path in write_study_figures(records, runs, into / "figures", study):
        print(path)


def _points_without_runs(folders: Sequence[Path]) -> Path | None:
    """The file with the points of a written study, if its runs do not exist here."""
    if len(folders) != 1 or not (folders[0] / POINTS_NAME).is_file():
        return None
    return None if find_records(folders)[0] else folders[0] / POINTS_NAME


def _draw_points(points: Path, into: Path, study: str) -> int:
    from qat.report.study_figures import point_figures
    from qat.tracking.figures.style import save_figures

    for path in save_figures(point_figures(read_points(points), study), into / "figures"):
        print(path)
    return DONE
