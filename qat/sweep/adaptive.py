"""Searches by a sweeper that chooses points by the results so far (Optuna). They can be continued.

The study of a search is in a database. Trials of earlier calls count, so that the same command
completes the number of trials instead of adding as many.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import IntervalSweep, Override
from omegaconf import DictConfig

from qat.base.errors import InputError, RequestError
from qat.base.plain_names import check_plain_name
from qat.records.metrics import METRICS
from qat.records.pareto import non_dominated
from qat.records.schema import RunRecord, canonical_json

SCALE = "trials"
"""The scale of the runs of a search, in the index of studies."""
KILLED = "killed"
"""Attribute of an Optuna study: numbers of the trials that did not end."""


@dataclass(frozen=True)
class SearchPlan:
    """The trials of a search that are done, and those that are still needed.

    Attributes:
        name: Name of its study.
        done: Number of trials that ended in earlier calls.
        to_go: Number of trials that are still needed.
        overrides: Overrides for Hydra: the name, the number of trials, and a seed of the sampler
            that repeats no earlier trial.
    """

    name: str
    done: int
    to_go: int
    overrides: tuple[str, ...]


def is_adaptive(sweeper: DictConfig) -> bool:
    """True if a composed ``hydra.sweeper`` is not Hydra's own grid."""
    return not str(sweeper._target_).endswith("BasicSweeper")


def check_sweeper(sweeper: DictConfig) -> None:
    """Refuse a search whose packages are not installed.

    Raises:
        RequestError: If Optuna is needed and not installed.
    """
    if "optuna" in str(sweeper._target_) and find_spec("optuna") is None:
        raise RequestError("hydra/sweeper: Optuna is not installed: pip install 'qatlab[optuna]'")


def dimension_points(words: Sequence[str], params: Sequence[str] = ()) -> list[tuple[str, ...]]:
    """The points that are checked before a search: every choice, with the first of the others.

    Args:
        words: Overrides of the command line.
        params: Overrides of ``hydra.sweeper.params``.

    Example:
        >>> dimension_points(["a=choice(1,2)", "b=x,y"])
        [('a=1', 'b=x'), ('a=2', 'b=x'), ('a=1', 'b=y')]
    """
    parsed = OverridesParser.create().parse_overrides([*params, *words])
    overrides = [o for o in parsed if not o.get_key_element().lstrip("+~").startswith("hydra")]
    fixed = [str(o.input_line) for o in overrides if not o.is_sweep_override()]
    axes = [list(_choices(o)) for o in overrides if o.is_sweep_override()]
    first = [axis[0] for axis in axes]
    points = {(*fixed, *first): None}
    for place, axis in enumerate(axes):
        for choice in axis:
            points[*fixed, *first[:place], choice, *first[place + 1 :]] = None
    return list(points)


def _choices(override: Override) -> Iterator[str]:
    key = override.get_key_element()
    value = override.value()
    if isinstance(value, IntervalSweep):
        yield from (f"{key}={end}" for end in (value.start, value.end))
    else:
        yield from (f"{key}={text}" for text in override.sweep_string_iterator())


def plan_search(sweeper: DictConfig, words: Sequence[str]) -> SearchPlan:
    """Count the trials in the study's database, and close trials of a killed process.

    Args:
        sweeper: The composed ``hydra.sweeper``.
        words: Overrides of the command line; a study without a name gets one from them.

    Raises:
        InputError: If the name of the study is not a plain file name.
    """
    settings = sorted(word for word in words if not word.startswith("hydra"))
    digest = hashlib.sha256(canonical_json(settings).encode()).hexdigest()[:8]
    name = sweeper.study_name or f"search-{digest}"
    check_plain_name("hydra.sweeper.study_name", name)
    done, tried = _trials(sweeper, name)
    to_go = max(int(sweeper.n_trials) - done, 0)
    overrides = [f"hydra.sweeper.study_name={name}", f"hydra.sweeper.n_trials={to_go}"]
    if sweeper.sampler.get("seed") is not None:  # the same seed would give the same trials again
        overrides.append(f"hydra.sweeper.sampler.seed={int(sweeper.sampler.seed) + tried}")
    return SearchPlan(name, done, to_go, tuple(overrides))


def _trials(sweeper: DictConfig, name: str) -> tuple[int, int]:
    """Numbers of trials that ended and that started; zeros for a study that does not exist."""
    if sweeper.storage is None:
        return 0, 0
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    path = str(sweeper.storage).removeprefix("sqlite:///")
    if path != sweeper.storage:
        Path(path).absolute().parent.mkdir(parents=True, exist_ok=True)
    storage = optuna.storages.get_storage(sweeper.storage)
    if name not in [study.study_name for study in optuna.get_all_study_summaries(storage)]:
        return 0, 0
    study = optuna.load_study(study_name=name, storage=storage)
    states = optuna.trial.TrialState
    killed = set(study.user_attrs.get(KILLED, ()))
    for trial in study.get_trials(deepcopy=False):
        if trial.state == states.RUNNING:
            killed.add(trial.number)
            study.set_user_attr(KILLED, sorted(killed))
            study.tell(trial.number, state=states.FAIL)
    trials = study.get_trials()
    ended = [trial for trial in trials if trial.number not in killed]
    return len(ended), len(trials)


def objectives(record: RunRecord, names: Sequence[str]) -> tuple[float, ...]:
    """The values that a finished run returns to the search.

    Args:
        record: Record of the run.
        names: Metrics, in the order of the objectives.

    Raises:
        InputError: If the run lacks one of the metrics; the message names those that it has.
    """
    missing = [name for name in names if name not in record.metrics]
    if missing:
        raise InputError(
            f"objectives: run {record.id} has no {', '.join(missing)}; it has "
            f"{', '.join(record.metrics)}"
        )
    return tuple(float(record.metrics[name]) for name in names)


def front(records: Sequence[RunRecord], names: Sequence[str]) -> list[RunRecord]:
    """The Pareto front: the runs that no other run beats in all objectives at once.

    Args:
        records: Finished runs; those that lack an objective are left out.
        names: Metrics. A metric is minimized unless :data:`METRICS` says that higher is better.
    """
    complete = [record for record in records if all(name in record.metrics for name in names)]
    maximize = [
        METRICS[name].higher_is_better is True if name in METRICS else False for name in names
    ]
    points = [objectives(record, names) for record in complete]
    return [complete[index] for index in non_dominated(points, maximize)]


def failures(sweeper: DictConfig, name: str) -> list[dict[str, Any]]:
    """The parameters of the failed trials of a study.

    Args:
        sweeper: The composed ``hydra.sweeper``, whose database has the study.
        name: Name of the study.

    Returns:
        One mapping for each trial; trials of a killed process are left out.
    """
    if sweeper.storage is None:
        return []
    import optuna

    study = optuna.load_study(study_name=name, storage=sweeper.storage)
    failed = study.get_trials(states=(optuna.trial.TrialState.FAIL,))
    killed = study.user_attrs.get(KILLED, ())
    return [trial.params for trial in failed if trial.number not in killed]
