"""What a run's choice of widths came to, as files of its folder."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from qat.allocate.greedy import greedy_front
from qat.base.atomic import write_atomic
from qat.records.file_names import ALLOCATION_NAME, SENSITIVITY_NAME
from qat.run.mixed.allocation import Allocation
from qat.run.mixed.prediction import Check


def write_allocation(
    folder: Path, allocator: str, trained: bool, chosen: Allocation, check: Check | None
) -> dict[str, Path]:
    """Write ``sensitivity.json`` and ``allocation.json``; their paths by artifact name.

    Args:
        folder: The run's.
        allocator: Name of who chose.
        trained: Whether the network was trained behind it.
        chosen: What was chosen.
        check: Of the prediction, if there was one.
    """
    chosen.table.save(folder / SENSITIVITY_NAME)
    content = {
        "allocator": allocator,
        "trained": trained,
        "metric": chosen.table.metric,
        "unit": chosen.table.unit,
        "predicted_harm": chosen.problem.harm(chosen.bits),
        "budgets": _budgets(chosen),
        "slots": [
            {"layer": layer, "slot": slot, "bits": bits, "score": _score(chosen, layer, slot, bits)}
            for (layer, slot), bits in chosen.bits.items()
        ],
        "front": _front(chosen) if allocator == "greedy" else None,
        "check": None if check is None else _check(check),
    }
    write_atomic(folder / ALLOCATION_NAME, json.dumps(content, indent=1, allow_nan=False) + "\n")
    return {"sensitivity": folder / SENSITIVITY_NAME, "allocation": folder / ALLOCATION_NAME}


def _budgets(chosen: Allocation) -> list[dict[str, Any]]:
    if chosen.budgets is None:
        return []
    costs = chosen.problem.costs
    return [
        {"name": name, "limit": limit, "spent": costs.cost(name, chosen.bits)}
        for name, limit in chosen.budgets.named().items()
    ]


def _front(chosen: Allocation) -> list[dict[str, float]]:
    """The whole way of the greedy allocator, by weight bytes."""
    return [
        {"weight_bytes": point.cost, "predicted_harm": point.harm}
        for point in greedy_front(chosen.problem, "weight_bytes")
    ]


def _score(chosen: Allocation, layer: str, slot: str, bits: int) -> float | None:
    """What the width that was chosen scores; None if it was not scored."""
    score = chosen.table.scores.get((layer, slot, bits))
    return None if score in (float("inf"), float("-inf")) else score


def _check(check: Check) -> dict[str, Any]:
    plans = [
        {
            "harm": plan.harm,
            "top1": plan.top1,
            "bits": [[layer, slot, bits] for (layer, slot), bits in plan.bits.items()],
        }
        for plan in check.plans
    ]
    return {"agreement": None if check.held is None else asdict(check.held), "plans": plans}
