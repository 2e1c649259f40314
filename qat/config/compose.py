"""Compose a configuration, or all points of a sweep, with errors of one line."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from hydra import compose, version
from hydra.core.config_search_path import SearchPathQuery
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException, MissingConfigException, OverrideParseException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import MissingMandatoryValue, OmegaConfBaseException

from qat.base.errors import RequestError
from qat.base.synonyms import nearest
from qat.config.bases import Bases
from qat.config.checks.unread import read_words
from qat.config.hydra_private import BasicSweeper, Hydra, create_config_search_path
from qat.config.keys import key_types, keys_under
from qat.config.paths import settle_paths
from qat.config.schema import RunConfig, register_schema
from qat.config.study_grids import key_of, study_points
from qat.config.words.types import check_words, expected
from qat.config.yaml_files import ROOT_CONFIG, config_dir, groups, options
from qat.models.names import torchvision_names


@dataclass(frozen=True)
class Point:
    """One requested run.

    Attributes:
        overrides: Overrides that name it.
        config: The configuration that they compose to.
    """

    overrides: tuple[str, ...]
    config: RunConfig

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
        return Point(overrides, typed(bases.compose(overrides)))


def _expanded(bases: Bases, point: Point, multirun: bool) -> list[Point]:
    """The point itself or, if it names a study, the points of the study's grids."""
    study = point.config.study
    if not study.grids:
        return [point]
    chosen = next((word for word in point.overrides if key_of(word) == "experiment"), "")
    if not multirun:
        raise RequestError(f"{chosen} is a study of many runs: qat run -m {chosen}")
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
    plain = OmegaConf.to_container(config, resolve=True)
    checked = OmegaConf.merge(_schema(), plain)
    run_config = OmegaConf.to_object(checked)
    assert isinstance(run_config, RunConfig)
    settle_paths(run_config)
    return run_config


@cache
def _schema() -> DictConfig:
    """The schema with its defaults. Merging copies it, so that it can be cached."""
    return OmegaConf.structured(RunConfig)


@contextmanager
def readable(where: str) -> Iterator[None]:
    """Turn Hydra's and OmegaConf's errors into a :class:`RequestError` of one line.

    Args:
        where: Text before the message, such as ``point seed=1: ``; may be empty.

    Raises:
        RequestError: If the block raises an error of Hydra, OmegaConf, or ``ValueError``.
    """
    try:
        yield
    except RequestError:
        raise
    except (HydraException, OmegaConfBaseException, ValueError, OverflowError) as error:
        raise RequestError(where + explain(error)) from error


def explain(error: Exception) -> str:
    """An error of Hydra or OmegaConf in one line, with the wrong name and what is allowed.

    Example:
        >>> explain(MissingMandatoryValue("data.path"))
        'data.path has no value: give data.path=VALUE'
    """
    if isinstance(error, MissingConfigException):
        return _explain_missing_option(error)
    if isinstance(error, MissingMandatoryValue):
        key = str(error).split()[-1] if "full_key" in str(error) else str(error)
        return f"{key} has no value: give {key}=VALUE"
    text = str(error)
    if isinstance(error, OverrideParseException):
        return f"cannot read {error.override!r}: {_form(str(error.override))}"
    if match := re.search(r"Ambiguous value for argument '([^']+)'", text):
        return f"{match.group(1)}: several values are a sweep, qat run -m; a list is KEY=[A,B]"
    if match := re.search(r"Sweep parameters '(.*)' requires", text):
        return f"{match.group(1)}: several values are a sweep, qat run -m"
    if "Config group override must be" in text:
        return "a group is chosen by the name of one of its files, GROUP=NAME; see qat list"
    if match := re.search(r"Could not override '([^']+)'", text):
        return _explain_key(match.group(1), text, error.__cause__)
    if "full_key:" in text:
        return _explain_full_key(text)
    if match := re.search(r"Error merging override (.*)", text):
        cause = str(error.__cause__).splitlines()[0] if error.__cause__ else ""
        return f"{match.group(1).strip()}: {cause}"
    return " ".join(text.split("\nSee https")[0].split())


def _explain_missing_option(error: MissingConfigException) -> str:
    option = error.missing_cfg_file or ""
    group, _, name = option.rpartition("/")
    if error.options:
        return f"no {name!r} in {group}; it has {_listed(group, error.options)}" + nearest(
            name, error.options
        )
    return " ".join(str(error).split("Config search path")[0].split())


def _form(word: str) -> str:
    """The form in which the value of an override is written."""
    key = word.partition("=")[0].lstrip("+~")
    kind = str(key_types().get(key, "")).replace("<class '", "")
    forms = {"list": "[A,B]", "dict": "{KEY: VALUE}", "int": "NUMBER", "float": "NUMBER"}
    forms |= {"bool": "true", "str": "'TEXT'"}
    form = next((form for start, form in forms.items() if kind.startswith(start)), "VALUE")
    return f"write {key or 'KEY'}={form}"


def _listed(group: str, options: Sequence[str]) -> str:
    """The options of a group; torchvision's many networks are not listed one by one."""
    networks = set(torchvision_names()) if group == "model" else set()
    words = ", ".join(option for option in options if option not in networks)
    return words + (f", and each of torchvision's {len(networks)} classifiers" if networks else "")


def _explain_key(key: str, text: str, cause: BaseException | None) -> str:
    if key.startswith("hydra."):
        return f"no key {key!r}; `qat run --cfg hydra` prints Hydra's own"
    if "@" in key or "No match in the defaults list" in text:
        slots = "quantizer and observer as GROUP@scheme.weight and GROUP@scheme.act"
        return f"no group {key!r} to choose from; groups are {', '.join(groups())}; {slots}"
    parent, _, name = key.rpartition(".")
    allowed = keys_under(parent)
    if allowed is None:
        # The parent does not exist: the message names the parent and not the leaf.
        return _explain_key(parent, text, cause) if parent else f"no key {key!r}"
    if name in allowed and cause is not None:
        return f"{key}: {str(cause).splitlines()[0]}"
    if not allowed:
        return f"{parent} is a value and holds no keys: write {parent}=VALUE"
    place = f"{parent} has" if parent else "keys are"
    return f"no key {key!r}; {place} {', '.join(allowed)}{nearest(name, allowed)}"


def _explain_full_key(text: str) -> str:
    """OmegaConf's message of several lines as one: file, key, expected type, first line."""
    match = re.search(r"full_key: (\S+)", text)
    key = match.group(1) if match else ""
    file_match = re.search(r"In '([^']+)'", text)
    file = f"{file_match.group(1)}: " if file_match else ""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("In '")]
    if re.search(r"Key '[^']*' (not in|is not in struct)", text):
        return file + _explain_key(key, "", None)
    return f"{file}{key} must be {expected(key)}: {lines[0].strip()}"
