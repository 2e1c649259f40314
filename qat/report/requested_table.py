"""The table of the records in some folders. Loads neither torch nor Hydra."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from qat.base.errors import RequestError
from qat.config.yaml_files import config_dir
from qat.records.schema import RunRecord
from qat.records.store import find_records
from qat.tables.columns import setting_text
from qat.tables.layout import table_spec
from qat.tables.published import Published, read_published
from qat.tables.table import Table, table_from

PUBLISHED_NAME = "published.csv"


@dataclass(frozen=True)
class TableRequest:
    """The runs of a table, and its layout.

    Attributes:
        folders: Run folders, or folders that contain run folders.
        layout: Fields of :class:`qat.tables.layout.TableSpec`.
        study: Name of the study whose published numbers get their own rows; None for none.
        strict: Refuse rows whose protocols differ.
        not_started: Number of runs of the study that have no folder, for the footer.
    """

    folders: Sequence[Path]
    layout: dict[str, Any] = field(default_factory=dict)
    study: str | None = None
    strict: bool = False
    not_started: int = 0


def requested_table(request: TableRequest) -> Table:
    """The table of all records under the request's folders.

    Raises:
        RequestError: If there is none.
        TableError: If a name is unknown, or if ``strict`` and the rows are not comparable.
    """
    records, problems = find_records(request.folders)
    if not records and not problems:
        raise RequestError(f"no run.json under {', '.join(map(str, request.folders))}")
    spec = table_spec(request.layout)
    published = published_beside(request.study, records)
    table = table_from(records, spec, published, request.strict, problems)
    if not request.not_started:
        return table
    count = request.not_started + len(records) + len(problems)
    verb, past = ("has", "was") if request.not_started == 1 else ("have", "were")
    absent = (
        f"{request.not_started} of the study's {count} runs {verb} not started, or {past} deleted"
    )
    return replace(table, footer=(*table.footer, absent))


def published_beside(study: str | None, records: Sequence[RunRecord]) -> list[Published]:
    """The published numbers of a study whose network and data set occur in the records.

    Args:
        study: Name of the study; None for none.
        records: Records of the table.
    """
    if study is None:
        return []
    roots = (Path(), config_dir().parent)
    files = (root / "experiments" / study / PUBLISHED_NAME for root in roots)
    path = next((file for file in files if file.is_file()), None)
    if path is None:
        return []
    computed = {(setting_text(r, "model"), setting_text(r, "data")) for r in records}
    return [
        row
        for row in read_published(path)
        if any(
            row.settings.get("model") in (None, model) and row.settings.get("data") in (None, data)
            for model, data in computed
        )
    ]
