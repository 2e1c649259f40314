"""Searches by a sweeper that chooses its points as it goes (Optuna), made resumable.

Its study lies in a database; what an earlier call has finished counts, so that the same command
again completes the number of trials rather than adding to it.
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
"""In the index of studies, the runs of a search."""
KILLED = "killed"


@dataclass(frozen=True)
class Search:
    """A search, and what is left of it.

    Attributes:
        name: Of its study.
        done: Trials that ended in earlier calls.
        to_go: Trials that are still to be made.
        overrides: For Hydra: the name, the number of trials, a seed that repeats none of them.
    """

    name: str
    done: int
    to_go: int
    overrides: tuple[str, ...]


def is_adaptive(sweeper: DictConfig) -> bool:
    """True for a composed ``hydra.sweeper`` that is not Hydra's own grid."""
    return not str(sweeper._target_).endswith("BasicSweeper")


def check_sweeper(sweeper: DictConfig) -> None:
    """Refuse a search whose packages are not installed.

    Raises:
        RequestError: With the cure.
    """
    if "optuna" in str(sweeper._target_) and find_spec("optuna") is None:
        raise RequestError("hydra/sweeper: Optuna is not installed: pip install 'qatlab[optuna]'")


def dimension_points(words: Sequence[str], params: Sequence[str] = ()) -> list[tuple[str, ...]]:
    """Every choice of every dimension, the others at their first: what is checked beforehand.

    Args:
        words: Overrides of the command line.
        params: Those of ``hydra.sweeper.params``.
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


def plan_search(sweeper: DictConfig, words: Sequence[str]) -> Search:
    """Look into the study's database; trials that a kill left running are closed.

    Args:
        sweeper: The composed ``hydra.sweeper``.
        words: Overrides of the command line, which name the study where it has no name.
    """
    settings = sorted(word for word in words if not word.startswith("hydra"))
    digest = hashlib.sha256(canonical_json(settings).encode()).hexdigest()[:8]
    name = sweeper.study_name or f"search-{digest}"
    check_plain_name("hydra.sweeper.study_name", name)
    done, tried = _trials(sweeper, name)
    to_go = max(int(sweeper.n_trials) - done, 0)
    overrides = [f"hydra.sweeper.study_name={name}", f"hydra.sweeper.n_trials={to_go}"]
    if sweeper.sampler.get("seed") is not None:  # the same seed again would ask the same again
        overrides.append(f"hydra.sweeper.sampler.seed={int(sweeper.sampler.seed) + tried}")
    return Search(name, done, to_go, tuple(overrides))


def _trials(sweeper: DictConfig, name: str) -> tuple[int, int]:
    """``(ended, tried)`` of a study; nothing of one that is not there."""
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
    """What a finished run gives back to the search.

    Raises:
        ValueError: If the run lacks one of the metrics, with those it has.
    """
    missing = [name for name in names if name not in record.metrics]
    if missing:
        raise InputError(
            f"objectives: run {record.id} has no {', '.join(missing)}; it has "
            f"{', '.join(record.metrics)}"
        )
    return tuple(float(record.metrics[name]) for name in names)


def front(records: Sequence[RunRecord], names: Sequence[str]) -> list[RunRecord]:
    """The runs that no other run beats in all objectives at once."""
    have = [record for record in records if all(name in record.metrics for name in names)]
    maximize = [
        METRICS[name].higher_is_better is True if name in METRICS else False for name in names
    ]
    points = [objectives(record, names) for record in have]
    return [have[index] for index in non_dominated(points, maximize)]


def failures(sweeper: DictConfig, name: str) -> list[dict[str, Any]]:
    """Parameters of the trials that could not be run."""
    if sweeper.storage is None:
        return []
    import optuna

    study = optuna.load_study(study_name=name, storage=sweeper.storage)
    failed = study.get_trials(states=(optuna.trial.TrialState.FAIL,))
    killed = study.user_attrs.get(KILLED, ())
    return [trial.params for trial in failed if trial.number not in killed]
