"""``qat run``: check every point of the request, then let Hydra start the jobs."""

import logging
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import hydra
from hydra._internal.callbacks import Callbacks
from hydra._internal.hydra import Hydra
from hydra._internal.utils import get_args_parser
from hydra.core.hydra_config import HydraConfig
from hydra.core.plugins import Plugins
from hydra.types import HydraContext, RunMode
from omegaconf import DictConfig, OmegaConf

from qat.base.errors import InputError
from qat.cli.adaptive import (
    SCALE,
    check_sweeper,
    dimension_points,
    is_adaptive,
    objectives,
    plan_search,
)
from qat.cli.checks import check_config
from qat.cli.command_line import SHOWING, Words, known_words, sort_words
from qat.cli.compose import (
    Point,
    check_composes,
    compose_points,
    composer,
    fixed_words,
    is_accepted,
    readable,
    typed,
)
from qat.cli.configs import ROOT_CONFIG, config_dir
from qat.cli.errors import (
    DONE,
    FAILED,
    CheckDefectError,
    RequestError,
    is_expected,
    one_line,
)
from qat.cli.identity import known_identity
from qat.cli.launchers import check_launcher, check_reachable, job_threads
from qat.cli.orphans import end_with_parent
from qat.cli.progress import be_silent, stage, tracked
from qat.cli.report import print_inputs
from qat.cli.request_checks import check_request
from qat.cli.rerun import check_targets, overrides_of
from qat.cli.run_dirs import run_dir
from qat.cli.schema import register_schema
from qat.cli.studies import key_of
from qat.cli.sweep import complain_of_launcher, make_items, run_sweep
from qat.cli.unread import check_read
from qat.records.store import read_record
from qat.records.studies import add_to_study

if TYPE_CHECKING:
    from qat.cli.prepare import Prepared

# Id → a checked point that is still to run in this process; empty in a launcher's processes.
_at_hand: "dict[str, Prepared]" = {}
_COMPLETION = ("install=", "uninstall=", "query=")


def run_command(words: Sequence[str]) -> int:
    """Run what was asked for.

    Returns:
        0 if all runs are done, 1 if one failed.

    Raises:
        RequestError: If anything is wrong with the request; nothing was started then.
    """
    _quiet()
    register_schema()
    if any(word.split("=")[0] in SHOWING for word in words):
        return _hydra(checked_for_hydra(words), lambda config: None)
    sorted_words = known_words(sort_words(words), is_accepted)
    if sorted_words.multirun:
        return _sweep(sorted_words)
    point = _points(sorted_words)[0]
    with told_of(point, named=False):
        check_request(point.config)
    with stage("loading", told=False):
        prepared = check_point(point, named=False)
        from qat.cli.job import run_job  # brings lightning: after the request was checked

    return DONE if run_job(prepared) else FAILED


def checked_for_hydra(words: Sequence[str]) -> list[str]:
    """Look for what is wrong in words for Hydra alone, whose own complaint has many lines.

    Returns:
        The words, overrides first: between flags Hydra would not know them.

    Raises:
        RequestError: If a flag, its value or an override is wrong.
    """
    parser = get_args_parser()

    def refuse(message: str) -> NoReturn:
        raise RequestError(f"{message}; see qat run --help")

    parser.error = refuse  # type: ignore[method-assign]
    asked = parser.parse_intermixed_args(list(words))
    if asked.shell_completion:
        if not any(word.startswith(_COMPLETION) for word in asked.overrides):
            raise RequestError(f"-sc needs one of {', '.join(_COMPLETION)} and a shell behind it")
        return [*asked.overrides, *(word for word in words if word not in asked.overrides)]
    folder = Path(asked.config_dir).expanduser() if asked.config_dir else None
    shown = Words(tuple(asked.overrides), True, folder, None)  # a sweep's keys may be shown
    overrides = known_words(shown, is_accepted).overrides
    if (asked.cfg or asked.info) and not asked.multirun:
        check_composes(overrides, folder)
    return [*overrides, *(word for word in words if word not in asked.overrides)]


def _points(words: Words) -> list[Point]:
    """The composed points of a request, or of a run that is to be repeated."""
    if words.rerun_of is None:
        points = compose_points(words.overrides, words.multirun, words.extra_dir)
        for point in points:  # a value that no key takes is worth more than that it is not read
            with told_of(point, len(points) > 1):
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
    """Prepare one point; what is wrong with it becomes one line that names it.

    Raises:
        RequestError: If anything is.
    """
    with told_of(point, named):
        check_request(point.config)
        from qat.cli.prepare import prepare  # brings torch: not needed for what is done

        return prepare(point.config, point.overrides)


@contextmanager
def told_of(point: Point, named: bool) -> Iterator[None]:
    """Turn what is wrong with a point into a :class:`RequestError` of one line."""
    try:
        yield
    except Exception as error:
        kind = RequestError if is_expected(error) else CheckDefectError
        where = f"point {point.label}: " if named else ""
        raise kind(where + one_line(error)) from error


def _sweep(words: Words) -> int:
    """Run the points of a grid that are not done yet; of another sweeper, what it asks for."""
    _check_launcher(words)
    with readable(""), composer(words.extra_dir) as hydra:
        sweeper = _multirun_config(hydra, words).hydra.sweeper
        OmegaConf.resolve(sweeper)
    if is_adaptive(sweeper):
        return _search(words, sweeper)
    points = _points(words)
    for point in points:  # all of them, before the first one loads its data
        with told_of(point, len(points) > 1):
            check_request(point.config)

    told: set[tuple[str, str | None]] = set()

    def identify(point: Point) -> str:
        prepared = check_point(point, len(points) > 1)
        inputs = (prepared.data.digest, prepared.checkpoint_digest)
        if inputs not in told:
            told.add(inputs)
            print_inputs(prepared)
        _at_hand[prepared.id] = prepared
        return prepared.id

    items = make_items(tracked("checking", points), identify)
    try:
        return run_sweep(points, items, partial(_launch, words))
    finally:
        _at_hand.clear()


def _search(words: Words, sweeper: DictConfig) -> int:
    """Let an adaptive sweeper choose, after every choice of every dimension was checked."""
    from qat.cli.search import run_search

    check_sweeper(sweeper)
    params = [f"{key}={value}" for key, value in (sweeper.params or {}).items()]
    asked = dimension_points(words.overrides, params)
    points = [p for words_ in asked for p in compose_points(words_, False, words.extra_dir)]
    for point in points:
        check_point(point, named=True)
    search = plan_search(sweeper, words.overrides)
    flags = ["--config-dir", str(words.extra_dir)] if words.extra_dir else []
    line = [*words.overrides, *search.overrides, *flags, "-m"]
    return run_search(search, sweeper, points, lambda: _hydra(line, run_point))


def _check_launcher(words: Words) -> None:
    """Refuse a launcher that is not installed, or does not answer, before anything starts."""
    for word in words.overrides:
        if key_of(word) == "hydra/launcher":
            check_launcher(word.partition("=")[2])
    with readable(""), composer(words.extra_dir) as hydra:
        check_reachable(_multirun_config(hydra, words).hydra.launcher)


def _multirun_config(hydra: Hydra, words: Words) -> DictConfig:
    return hydra.compose_config(
        config_name=ROOT_CONFIG,
        overrides=fixed_words(words.overrides),
        run_mode=RunMode.MULTIRUN,
        with_log_configuration=False,
    )


def _launch(words: Words, points: Sequence[Point]) -> None:
    """Hand some points to the launcher that the command line names."""
    with composer(words.extra_dir) as hydra:
        config = _multirun_config(hydra, words)
        context = HydraContext(config_loader=hydra.config_loader, callbacks=Callbacks(config))
        launcher = Plugins.instance().instantiate_launcher(
            hydra_context=context, task_function=run_point, config=config
        )
        try:
            ended = launcher.launch([list(point.overrides) for point in points], initial_job_idx=0)
        except Exception as error:  # a pool whose worker was killed, say; the records tell the rest
            complain_of_launcher(error)
            return
    for job in ended:
        try:
            job.return_value  # noqa: B018 - raises what the job raised outside of its run
        except Exception as error:
            complain_of_launcher(error)


def run_point(config: DictConfig) -> tuple[float, ...] | None:
    """One job of a sweep, in this process or in a launcher's.

    Returns:
        Of a search its objectives, nothing of a grid.

    Raises:
        ValueError: If the point of a search cannot be run: its trial has failed.
    """
    from qat.cli.job import limit_threads, run_job
    from qat.cli.prepare import prepare

    end_with_parent()
    _quiet()
    if not str(HydraConfig.get().launcher._target_).endswith("BasicLauncher"):
        be_silent()
    limit_threads(job_threads(HydraConfig.get().launcher))
    run_config = typed(config)
    known = known_identity(run_config)
    prepared = _at_hand.pop(known, None) if known else None
    searched = is_adaptive(HydraConfig.get().sweeper)  # the points of a grid are rehearsed before
    prepared = prepared or prepare(run_config, _typed_overrides(), rehearsed=searched)
    done = run_job(prepared, alone=False)
    sweeper = HydraConfig.get().sweeper
    if not is_adaptive(sweeper):
        return None
    add_to_study(Path(run_config.paths.runs), sweeper.study_name, SCALE, [prepared.id])
    if not done:
        raise InputError(f"run {prepared.id} is not done; its record says why")
    values = objectives(read_record(prepared.folder), run_config.objectives)
    print(f"done  {prepared.id}: {', '.join(f'{v:g}' for v in values)}", flush=True)
    return values


def _hydra(words: Sequence[str], job: object) -> int:
    """Hydra's own main, on these words."""
    before = sys.argv
    sys.argv = ["qat", *words]
    decorate = hydra.main(
        version_base="1.3", config_path=str(config_dir()), config_name=ROOT_CONFIG
    )
    try:
        decorate(job)()  # type: ignore[arg-type]
    except SystemExit as error:
        return int(error.code or 0)
    finally:
        sys.argv = before
    return DONE


def _typed_overrides() -> tuple[str, ...]:
    return tuple(HydraConfig.get().overrides.task)


def _quiet() -> None:
    """Keep the libraries' chatter off the terminal; their warnings of substance stay."""
    for name in ("lightning.pytorch", "lightning.fabric", "torch"):
        logging.getLogger(name).setLevel(logging.ERROR)
    logging.getLogger("torch.utils.cpp_extension").setLevel(logging.ERROR)  # torch resets its own
    warnings.filterwarnings("ignore", module=r"(lightning|tensorboard|torchmetrics|torch)(\.|$)")
