"""The points of a request: composed and checked. An error of a point becomes one line."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from qat.base.complaints import is_expected, one_line
from qat.base.errors import CheckDefectError, RequestError
from qat.config.checks.combinations import check_config
from qat.config.checks.unread import check_read
from qat.config.compose import Point, compose_points
from qat.config.run_dirs import run_dir
from qat.config.study_grids import key_of
from qat.config.words.command_line import Words
from qat.run.request.checks import check_request
from qat.run.request.rerun import check_targets, overrides_of
from qat.sweep.kept_points import kept_points

if TYPE_CHECKING:
    from qat.run.prepared import Prepared


def requested_points(words: Words) -> list[Point]:
    """The composed points of a request, or the point of a repeated run (``--from``).

    Raises:
        RequestError: If a point is wrong, or if ``--from`` is used together with ``-m``.
        UnknownNameError: If ``--from`` names no run.
    """
    if words.rerun_of is None:
        points = kept_points(words)
        if points is None:
            points = compose_points(words.overrides, words.multirun, words.extra_dir)
        for point in points:  # a forbidden value is reported before a value that nothing reads
            with named_errors(point, len(points) > 1):
                check_config(point.config)
        check_read([(point.overrides, point.config) for point in points], None, words.extra_dir)
        return points
    if words.multirun:
        raise RequestError("--from repeats one run, -m sweeps: give one of them")
    typed_runs = [
        w.partition("=")[2].strip("'") for w in words.overrides if key_of(w) == "paths.runs"
    ]
    folder = run_dir(words.rerun_of, typed_runs[-1] if typed_runs else None)
    repeated = (*overrides_of(folder, words.overrides), *words.overrides)
    points = compose_points(repeated, False, words.extra_dir)
    check_targets(points[0].config, words.overrides, words.extra_dir)
    check_read([(points[0].overrides, points[0].config)], words.overrides, words.extra_dir)
    return points


def check_point(point: Point, named: bool) -> "Prepared":
    """Check and prepare one point.

    Args:
        point: The composed point.
        named: Begin an error message with the label of the point.

    Raises:
        RequestError: If the point is wrong, in one line.
    """
    with named_errors(point, named):
        check_request(point.config)
        from qat.run.prepare import prepare  # imports torch, which finished points do not need

        return prepare(point.config, point.overrides, config_dir=point.extra_dir)


@contextmanager
def named_errors(point: Point, named: bool) -> Iterator[None]:
    """Turn an error within the block into a :class:`RequestError` of one line.

    Args:
        point: The point that is checked within the block.
        named: Begin the message with the label of the point.

    Raises:
        RequestError: If the request is wrong.
        CheckDefectError: If the check itself has a defect, or ends the process.
    """
    try:
        yield
    except (Exception, SystemExit) as error:  # code that ends the process is a failure too
        kind = RequestError if is_expected(error) else CheckDefectError
        where = f"point {point.label}: " if named else ""
        raise kind(where + one_line(error)) from error
