"""Hydra's launchers run the points of a sweep; each point is a job in this or another process."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from hydra.core.hydra_config import HydraConfig
from hydra.core.plugins import Plugins
from hydra.types import HydraContext, RunMode
from omegaconf import DictConfig, OmegaConf

from qat.base.errors import InputError
from qat.base.garbage import keep_objects
from qat.base.progress import be_silent
from qat.config.compose import Point, composer, fixed_words, typed
from qat.config.explain import readable
from qat.config.hydra_private import Callbacks, Hydra
from qat.config.study_grids import key_of
from qat.config.words.command_line import Words
from qat.config.yaml_files import ROOT_CONFIG
from qat.records.store import read_record
from qat.records.studies import add_to_study
from qat.run.request.identity import known_identity
from qat.sweep.adaptive import SCALE, is_adaptive, objectives
from qat.sweep.hydra_main import quiet_libraries
from qat.sweep.launcher_values import check_values
from qat.sweep.launchers import check_launcher, check_reachable, is_basic, job_threads
from qat.sweep.orphans import end_with_parent
from qat.sweep.sweep import complain_of_launcher

if TYPE_CHECKING:
    from qat.run.prepared import Prepared

# Id → a checked point that this process will run; empty in the processes of a launcher.
at_hand: "dict[str, Prepared]" = {}


def launch(words: Words, points: Sequence[Point]) -> None:
    """Run some points with the launcher that the command line names.

    Args:
        words: The command line.
        points: Points to run.
    """
    with composer(words.extra_dir) as hydra:
        config = multirun_config(hydra, words)
        if runs_here(config):
            launch_here(points)
            return
        context = HydraContext(config_loader=hydra.config_loader, callbacks=Callbacks(config))
        launcher = Plugins.instance().instantiate_launcher(
            hydra_context=context, task_function=run_point, config=config
        )
        try:
            ended = launcher.launch([list(point.overrides) for point in points], initial_job_idx=0)
        except Exception as error:  # for example, a killed worker; the records have the rest
            complain_of_launcher(error)
            return
    for job in ended:
        try:
            job.return_value  # noqa: B018 - raises what the job raised outside of its run
        except Exception as error:
            complain_of_launcher(error)


def runs_here(config: DictConfig) -> bool:
    """Whether jobs run one after the other in this process, without code of the user around them.

    Then Hydra need not compose each point again.

    Args:
        config: From :func:`multirun_config`.
    """
    settings = config.hydra
    return is_basic(settings.launcher) and not settings.callbacks


def launch_here(points: Sequence[Point]) -> None:
    """Run points one after the other in this process.

    Args:
        points: Composed points; one that is not at hand is prepared.
    """
    from qat.run.prepare import prepare
    from qat.sweep.job import run_job

    complete = has_several_observers(points)
    for index, point in enumerate(points):
        if index == 1:  # the first point has loaded every module that the others need
            keep_objects()
        try:
            run_id = known_identity(point.config)
            prepared = at_hand.pop(run_id, None) if run_id else None
            prepared = prepared or prepare(point.config, point.overrides, False, point.extra_dir)
            if complete:  # the first calibration serves the others too
                prepared = replace(
                    prepared, calibration=replace(prepared.calibration, complete=True)
                )
            run_job(prepared, alone=False)
        except Exception as error:  # the other points continue
            complain_of_launcher(error)


def has_several_observers(points: Iterable[Point]) -> bool:
    """Whether activations are calibrated by more than one observer."""
    return len({point.config.scheme.act.observer for point in points}) > 1


def run_point(config: DictConfig) -> tuple[float, ...] | None:
    """Run one job of a sweep, in this process or in a process of a launcher.

    Args:
        config: The composed point.

    Returns:
        The objectives of a trial of a search; None for a point of a grid.

    Raises:
        InputError: If the trial of a search failed.
    """
    from qat.run.prepare import prepare
    from qat.sweep.job import limit_threads, run_job

    end_with_parent()
    quiet_libraries()
    if not is_basic(HydraConfig.get().launcher):
        be_silent()
    limit_threads(job_threads(HydraConfig.get().launcher))
    run_config = typed(config)
    run_id = known_identity(run_config)
    prepared = at_hand.pop(run_id, None) if run_id else None
    searched = is_adaptive(HydraConfig.get().sweeper)  # the points of a grid were checked before
    prepared = prepared or prepare(
        run_config, _typed_overrides(), rehearsed=searched, config_dir=_config_dir()
    )
    is_done = run_job(prepared, alone=False)
    sweeper = HydraConfig.get().sweeper
    if not is_adaptive(sweeper):
        return None
    add_to_study(Path(run_config.paths.runs), sweeper.study_name, SCALE, [prepared.id])
    if not is_done:
        raise InputError(f"run {prepared.id} is not done; its record says why")
    values = objectives(read_record(prepared.folder), run_config.objectives)
    print(f"done  {prepared.id}: {', '.join(f'{v:g}' for v in values)}", flush=True)
    return values


def check_launchers(words: Words) -> DictConfig:
    """Refuse a launcher that is not installed, does not answer or has wrong values.

    This is before anything starts.

    Returns:
        Hydra's own settings for the request, those of the sweeper resolved.

    Raises:
        RequestError: If the launcher is not installed, does not answer, or has a wrong value.
    """
    for word in words.overrides:
        if key_of(word) == "hydra/launcher":
            check_launcher(word.partition("=")[2])
    with readable(""), composer(words.extra_dir) as hydra:
        settings: DictConfig = multirun_config(hydra, words).hydra
        check_values("hydra.launcher", settings.launcher)
        check_values("hydra.sweeper", settings.sweeper)
        check_reachable(settings.launcher)
        OmegaConf.resolve(settings.sweeper)
    return settings


def multirun_config(hydra: Hydra, words: Words) -> DictConfig:
    """Compose the overrides that have one value, together with Hydra's own settings.

    Args:
        hydra: From :func:`qat.config.compose.composer`.
        words: The command line; overrides with several values are left out.
    """
    return hydra.compose_config(
        config_name=ROOT_CONFIG,
        overrides=fixed_words(words.overrides),
        run_mode=RunMode.MULTIRUN,
        with_log_configuration=False,
    )


def _typed_overrides() -> tuple[str, ...]:
    return tuple(HydraConfig.get().overrides.task)


def _config_dir() -> Path | None:
    """The folder of ``--config-dir`` in a job; None without that flag."""
    sources = HydraConfig.get().runtime.config_sources
    return next((Path(s.path) for s in sources if s.provider == "command-line"), None)
