"""A request of one run, checked: it is either finished or ready to be computed."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from qat.base.garbage import loading_modules
from qat.config.compose import Point
from qat.config.words.command_line import Words
from qat.records.folder import RunFolder
from qat.run.progress import stage
from qat.run.request.checks import check_request
from qat.run.request.identity import finished_run_id
from qat.sweep.points import check_point, named_errors, requested_points

if TYPE_CHECKING:
    from qat.run.prepared import Prepared


@dataclass(frozen=True)
class SingleRun:
    """A request of one run whose checks have passed.

    Attributes:
        point: The composed request.
        folder: The run's folder.
        prepared: What a run takes; None for a finished run, for which nothing heavy is loaded.
    """

    point: Point
    folder: RunFolder
    prepared: "Prepared | None"

    @property
    def has_page(self) -> bool:
        """Whether the run is to have a TensorBoard page."""
        return self.point.config.tracking.tensorboard


def single_run(words: Words) -> SingleRun:
    """Compose and check the request of one run.

    Args:
        words: The command line.

    Raises:
        RequestError: If the request is wrong. Then nothing was started.
    """
    point = requested_points(words)[0]
    with named_errors(point, named=False):
        check_request(point.config)
        name = finished_run_id(point.config)
    if name is not None:
        return SingleRun(point, RunFolder(Path(point.config.paths.runs) / name), None)
    with stage("loading", verbose=False):
        with loading_modules():
            import qat.sweep.job  # noqa: F401 - imports torch

        prepared = check_point(point, named=False)
    return SingleRun(point, RunFolder(prepared.folder), prepared)
