"""The accuracy of a plan, measured once for all runs that need it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qat.convert.swap import quantize
from qat.core.plan import Plan
from qat.data.batches import Batches
from qat.run.calibration import Calibration
from qat.run.float_network import FloatNetwork
from qat.training.evaluate import evaluate


@dataclass(frozen=True)
class PlanAccuracy:
    """A function from a plan to its accuracy; the plan is calibrated as the run does it.

    Attributes:
        calibration: The run's calibration.
        source: The float network.
        split: Name of the part of the data set that the images belong to.
        batches: The images to evaluate on.
        selection: Plain data that determine which images of the split these are.
    """

    calibration: Calibration
    source: FloatNetwork
    split: str
    batches: Batches
    selection: Mapping[str, Any]

    def __call__(self, plan: Plan) -> dict[str, float]:
        """``top1``, ``loss`` and, with more than five classes, ``top5``."""

        def make(path: Path) -> None:
            path.write_text(json.dumps(self._measure(plan)) + "\n", encoding="utf-8")

        path = self.calibration.cache.get_or_make("plans", self._key(plan), make, suffix=".json")
        accuracies: dict[str, float] = json.loads(path.read_text(encoding="utf-8"))
        return accuracies

    def _measure(self, plan: Plan) -> dict[str, float]:
        qnet = quantize(self.source.net, plan)
        self.calibration.run(qnet, self.source.digest)
        return evaluate(qnet.eval(), self.batches, self.calibration.keys.device)

    def _key(self, plan: Plan) -> dict[str, Any]:
        images = {
            "split": self.split,
            "drawn": dict(self.selection),
            "batch_size": self.batches.batch_size,
        }
        key = self.calibration.keys.calibration(self.source.digest)
        return {**key, "images": images, "plan": plan.to_dict()}
