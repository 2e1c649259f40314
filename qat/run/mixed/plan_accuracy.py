"""What a plan does, calibrated and evaluated: each once for all runs that ask the same."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import nn

from qat.convert.swap import quantize
from qat.core.plan import Plan
from qat.data.batches import Batches
from qat.records.cache import Cache
from qat.records.schema import NUMERICS_VERSION
from qat.run.calibration import calibrate_run
from qat.run.prepare import Prepared
from qat.training.evaluate import evaluate


class PlanAccuracy:
    """Calibrates a plan as the run does, and evaluates it.

    Args:
        prepared: The request.
        net: The float network.
        digest: Of its checkpoint.
        split: That the images are of.
        batches: To evaluate on.
        drawn: What determines which images of the split they are.
    """

    def __init__(
        self,
        prepared: Prepared,
        net: nn.Module,
        digest: str,
        split: str,
        batches: Batches,
        drawn: Mapping[str, Any],
    ) -> None:
        self.prepared, self.net, self.digest, self.batches = prepared, net, digest, batches
        self.of = {"split": split, "drawn": dict(drawn), "batch_size": batches.batch_size}

    def __call__(self, plan: Plan) -> dict[str, float]:
        """``top1``, ``loss`` and, with more than five classes, ``top5``."""
        cache = Cache(Path(self.prepared.config.paths.cache))

        def make(path: Path) -> None:
            accuracies = self._measure(plan)
            path.write_text(json.dumps(accuracies) + "\n", encoding="utf-8")

        path = cache.get_or_make("plans", self._key(plan), make, suffix=".json")
        accuracies: dict[str, float] = json.loads(path.read_text(encoding="utf-8"))
        return accuracies

    def _measure(self, plan: Plan) -> dict[str, float]:
        qnet = quantize(self.net, plan)
        calibrate_run(self.prepared, qnet, self.digest)
        return evaluate(qnet.eval(), self.batches, self.prepared.device)

    def _key(self, plan: Plan) -> dict[str, Any]:
        config = self.prepared.config
        return {
            "model": self.prepared.settings["model"],
            "checkpoint": self.digest,
            "data": self.prepared.data.digest,
            "preprocess": asdict(self.prepared.data.preprocess),
            "images": self.of,
            "plan": plan.to_dict(),
            "calibrate": self.prepared.settings["calibrate"],
            "seed": config.seed,
            "device": self.prepared.device.type,
            "threads": torch.get_num_threads(),
            "numerics_version": NUMERICS_VERSION,
        }
