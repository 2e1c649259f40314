"""Compose a configuration, or all points of a sweep, with errors of one line."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from hydra import compose, version
from hydra.core.config_search_path import SearchPathQuery
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import MissingMandatoryValue, OmegaConfBaseException

from qat.base.errors import RequestError
from qat.config.bases import Bases
from qat.config.checks.unread import read_words
from qat.config.explain import readable
from qat.config.hydra_private import BasicSweeper, Hydra, create_config_search_path
from qat.config.of_schema import is_of_schema
from qat.config.paths import settle_paths
from qat.config.register import register_schema
from qat.config.schema import RunConfig
from qat.config.study_grids import key_of, study_points
from qat.config.words.types import check_words
from qat.config.yaml_files import ROOT_CONFIG, config_dir, config_dir_flag, options


@dataclass(frozen=True)
class Point:
    """One requested run.

    Attributes:
        overrides: Overrides that name it.
        config: The configuration that they compose to.
        extra_dir: Folder of the user's YAML; None if there is none.
    """

    overrides: tuple[str, ...]
    config: RunConfig
    extra_dir: Path | None = None

    @property
    def label(self) -> str:
        """The overrides as typed, for messages."""
        return " ".join(self.overrides) or "(defaults)"


@contextmanager
def composer(extra_dir: Path | None) -> Iterator[Hydra]:
    """Prepare Hydra to compose during the block, from the user's folder first and then from conf/.

    Args:
        extra_dir: Folder of the user's YAML; None if there is none.

    Raises:
        RequestError: If that folder does not exist.
    """
    register_schema()
    version.setbase("1.3")
    search_path = create_config_search_path(str(config_dir()))
    if extra_dir is not None:
        if not extra_dir.is_dir():
            raise RequestError(f"--config-dir {extra_dir} is not a folder: give one that exists")
        anchor = SearchPathQuery(provider="schema")  # as hydra.main does
        search_path.prepend("command-line", f"file://{extra_dir.resolve()}", anchor)
    GlobalHydra.instance().clear()
    hydra = Hydra.create_main_hydra2(task_name="qat", config_search_path=search_path)
    try:
        yield hydra
    finally:
        GlobalHydra.instance().clear()


def compose_points(
    overrides: Sequence[str], multirun: bool, extra_dir: Path | None = None
) -> list[Point]:
    """Every point of a request, composed and typed; of a study, the points of its grids.

    Of several points, each is composed without the overrides that only other points read.

    Args:
        overrides: As typed; values of a sweep are separated by commas.
        multirun: Whether the request is a sweep.
        extra_dir: Folder of the user's YAML; None if there is none.

    Raises:
        RequestError: If a point does not compose; the message names the point.

    Example:
        >>> points = compose_points(["mode=static", "seed=1,2"], multirun=True)
        >>> [(point.label, point.config.seed) for point in points]
        [('mode=static seed=1', 1), ('mode=static seed=2', 2)]
    """
    with readable(""), composer(extra_dir):
        combinations = split_sweep(overrides) if multirun else [tuple(overrides)]
        check_words((word for words in combinations for word in words), extra_dir)
        several, bases = len(combinations) > 1, Bases(extra_dir)
        points: dict[tuple[str, ...], Point] = {}
        for combination in combinations:
            point = _composed(bases, combination, several)
            for expanded in _expanded(bases, point, multirun):
                points[expanded.overrides] = expanded
        return _with_what_they_read(bases, list(points.values()))


def _with_what_they_read(bases: Bases, points: list[Point]) -> list[Point]:
    """The points of a sweep, each composed without the overrides that only others read."""
    words = read_words([(point.overrides, point.config) for point in points])
    return [
        point if kept == point.overrides else _composed(bases, kept, named=True)
        for point, kept in zip(points, words, strict=True)
    ]


def _composed(bases: Bases, overrides: tuple[str, ...], named: bool) -> Point:
    with readable(f"point {' '.join(overrides)}: " if named else ""):
        return Point(overrides, typed(bases.compose(overrides)), bases.extra_dir)


def _expanded(bases: Bases, point: Point, multirun: bool) -> list[Point]:
    """The point itself or, if it names a study, the points of the study's grids."""
    study = point.config.study
    if not study.grids:
        return [point]
    chosen = next((word for word in point.overrides if key_of(word) == "experiment"), "")
    if not multirun:
        flag = config_dir_flag(bases.extra_dir)
        raise RequestError(f"{chosen} is a study of many runs: qat run -m {chosen}{flag}")
    words = [word for word in point.overrides if word != chosen]
    return [
        _composed(bases, overrides, named=True)
        for overrides in study_points(study, point.config.scale, chosen, words)
    ]


def is_accepted(overrides: Sequence[str], extra_dir: Path | None = None) -> bool:
    """Whether overrides compose, with the defaults, to values that are allowed.

    Args:
        overrides: Overrides of one run. Combinations of values are checked only if each names a
            single key, since a group's choice may need other overrides.
        extra_dir: Folder of the user's YAML; None if there is none.
    """
    from qat.config.checks.combinations import check_config

    try:
        with readable(""), composer(extra_dir):
            check_words(overrides, extra_dir)
            config = Bases(extra_dir).compose(overrides)
            if all("." in word.partition("=")[0] for word in overrides):
                check_config(typed(config))
    except ValueError:
        return False
    return True


def check_composes(overrides: Sequence[str], extra_dir: Path | None = None) -> None:
    """Compose overrides; required values may still be missing.

    Args:
        overrides: Overrides of one run.
        extra_dir: Folder of the user's YAML; None if there is none.

    Raises:
        RequestError: If they do not compose.
    """
    with readable(""), composer(extra_dir):
        check_words(overrides, extra_dir)
        Bases(extra_dir).compose(overrides)


def split_sweep(overrides: Sequence[str]) -> list[tuple[str, ...]]:
    """The points of a sweep, as Hydra's basic sweeper makes them, inside of :func:`composer`.

    For another sweeper, such as Optuna, there is one point: the overrides with a single value.

    Raises:
        RequestError: If an override has no values to sweep over.
        HydraException: If an override cannot be parsed.
    """
    loader = GlobalHydra.instance().config_loader()
    settled = fixed_words(overrides)
    hydra = compose(ROOT_CONFIG, overrides=settled, return_hydra_config=True).hydra
    if not str(hydra.sweeper._target_).endswith("BasicSweeper"):
        return [_without_hydra(settled)]
    params = [f"{key}={value}" for key, value in (hydra.sweeper.params or {}).items()]
    parsed = OverridesParser.create(config_loader=loader).parse_overrides([*params, *overrides])
    for override in parsed:
        _check_values(override)
    (batch,) = BasicSweeper.split_arguments(parsed, max_batch_size=None)
    return [_without_hydra(point) for point in batch]


def _check_values(override: Override) -> None:
    """Refuse a sweep over no values, since it would leave no points."""
    if not override.is_sweep_override() or any(True for _ in override.sweep_string_iterator()):
        return
    key = override.key_or_group
    names = options(key.partition("@")[0])
    hint = f"; {key} has {', '.join(names)}" if names else ", such as KEY=0,1,2"
    raise RequestError(f"{override.input_line} has no values to sweep over: give some{hint}")


def fixed_words(overrides: Sequence[str]) -> list[str]:
    """The overrides that have a single value, inside of :func:`composer`."""
    loader = GlobalHydra.instance().config_loader()
    parsed = OverridesParser.create(config_loader=loader).parse_overrides(list(overrides))
    return [str(o.input_line) for o in parsed if not o.is_sweep_override()]


def _without_hydra(overrides: Sequence[str]) -> tuple[str, ...]:
    return tuple(o for o in overrides if not o.lstrip("+~").startswith(("hydra.", "hydra/")))


def typed(config: DictConfig) -> RunConfig:
    """The composed configuration as dataclasses, with interpolations resolved.

    Hydra lets keys that are added with ``+`` pass, so they are checked against the schema here.

    Raises:
        OmegaConfBaseException: If a key is unknown, has no value, or a value of a wrong type.
        UnknownNameError: If ``allocate.latency_runs`` names a run that does not exist.
    """
    if missing := sorted(OmegaConf.missing_keys(config)):
        raise MissingMandatoryValue(missing[0])
    run_config = _object_of(config)
    assert isinstance(run_config, RunConfig)
    settle_paths(run_config)
    return run_config


def _object_of(config: DictConfig) -> object:
    """The dataclasses; what has their types already is not merged into the schema once more."""
    if is_of_schema(config, _schema()):
        with suppress(OmegaConfBaseException):  # the merge below has the better message
            return OmegaConf.to_object(config)
    plain = OmegaConf.to_container(config, resolve=True)
    return OmegaConf.to_object(OmegaConf.merge(_schema(), plain))


@cache
def _schema() -> DictConfig:
    """The schema with its defaults. Merging copies it, so that it can be cached."""
    return OmegaConf.structured(RunConfig)
