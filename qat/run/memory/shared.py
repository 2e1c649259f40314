"""Memory plans that runs of one process share: they depend on widths, not on ranges or weights.

The points of a sweep mostly differ in what decides their ranges. The files of the first run are
written again for all runs with the same networks.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qat.base.atomic import atomic_path
from qat.core.plan import Plan
from qat.records.schema import canonical_json
from qat.run.stage_result import StageResult
from qat.run.state import RunState

LARGEST_COUNT = 32
"""Number of results that are kept; each has the bytes of one text and two figures."""


@dataclass(frozen=True)
class _Result:
    """The result of a stage, with the content of its files.

    Attributes:
        metrics: Name → value.
        not_measured: Name of an absent metric → reason.
        files: Name of the artifact → name and content of the file.
    """

    metrics: dict[str, float]
    not_measured: dict[str, str]
    files: dict[str, tuple[str, bytes]]


_results: dict[str, _Result] = {}


def shared_memory(key: str | None, folder: Path, compute: Callable[[], StageResult]) -> StageResult:
    """The result of the memory stage, computed once for each key.

    Args:
        key: From :func:`memory_key`; None computes it in any case.
        folder: The run's folder, which gets the files.
        compute: Computes the result and writes its files into the folder.
    """
    if key is not None and key in _results:
        return _written(_results[key], folder)
    result = compute()
    if key is not None:
        while len(_results) >= LARGEST_COUNT:
            del _results[next(iter(_results))]
        files = {name: (path.name, path.read_bytes()) for name, path in result.files.items()}
        _results[key] = _Result(result.metrics, result.not_measured, files)
    return result


def _written(kept: _Result, folder: Path) -> StageResult:
    files = {}
    for artifact, (name, content) in kept.files.items():
        files[artifact] = folder / name
        with atomic_path(files[artifact], suffix=files[artifact].suffix) as aside:
            aside.write_bytes(content)
    return StageResult(dict(kept.metrics), dict(kept.not_measured), files)


def memory_key(state: RunState, image_shape: tuple[int, ...]) -> str | None:
    """Everything that the memory of a run depends on, as JSON.

    Args:
        state: Of a run whose quantized network is ready, if it has one.
        image_shape: Channels, height and width.

    Returns:
        The key; None if something is measured, or code of the user decides how tensors are stored.
    """
    prepared, request = state.prepared, state.prepared.memory
    if request.settings.execute or request.settings.prefetch or prepared.mode.trains:
        return None
    plan = None if state.qnet is None else _without_observers(state.plan)
    if plan is not None and _has_target(plan):
        return None
    return canonical_json(
        {
            "mode": prepared.mode.name,
            "model": prepared.settings["model"],
            "checkpoint": state.source.digest,
            "image": list(image_shape),
            "request": repr(request),
            "plan": plan,
        }
    )


def _without_observers(plan: Plan) -> Any:
    return _left_out(plan.to_dict(), "observer")


def _left_out(data: Any, key: str) -> Any:
    """Plain data without one key of all its mappings."""
    if isinstance(data, dict):
        return {name: _left_out(value, key) for name, value in data.items() if name != key}
    return [_left_out(value, key) for value in data] if isinstance(data, list | tuple) else data


def _has_target(data: Any) -> bool:
    """Whether plain data name a class of the user."""
    if isinstance(data, dict):
        return bool(data.get("target")) or any(map(_has_target, data.values()))
    return isinstance(data, list | tuple) and any(map(_has_target, data))
