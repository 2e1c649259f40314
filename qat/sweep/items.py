"""The different runs of a sweep."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from qat.config.compose import Point
from qat.records.folder import RunFolder
from qat.records.schema import RecordError
from qat.run.request.identity import finished_run_id


@dataclass(frozen=True)
class Item:
    """One run of a sweep.

    Attributes:
        id: Id of the run.
        point: The composed point.
        folder: Folder of the run.
    """

    id: str
    point: Point
    folder: Path

    def state(self) -> str:
        """State of the run: as in :meth:`RunFolder.state`, or ``damaged``."""
        try:
            return RunFolder(self.folder).state()
        except RecordError:
            return "damaged"


def make_items(points: Iterable[Point], identify: Callable[[Point], str]) -> list[Item]:
    """The different runs of some points, in their order.

    Args:
        points: Composed points.
        identify: Checks a point and returns its id; called for points that are not finished.
    """
    items: dict[str, Item] = {}
    for point in points:
        name = finished_run_id(point.config) or identify(point)
        items.setdefault(name, Item(name, point, Path(point.config.paths.runs) / name))
    return list(items.values())
