"""Widths that a training learns (``allocate=learned``)."""

import shutil
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from qat.allocate.budget import Budgets
from qat.allocate.choice import choice_parameters, choose_widths, set_temperature
from qat.allocate.costs import NetworkCosts
from qat.allocate.learned import choice_table, overrun_price
from qat.core.plan import Plan
from qat.data.batches import Batches
from qat.data.draw import drawn
from qat.records.cache import Cache
from qat.records.schema import NUMERICS_VERSION
from qat.run.mixed.sensitivity import sensitivity_batches
from qat.run.prepare import Prepared
from qat.run.training_progress import TrainingProgress
from qat.sensitivity.cache_key import sensitivity_digest
from qat.sensitivity.table import SensitivityTable
from qat.sensitivity.widths import Slot, slots_of
from qat.training.fit import fit
from qat.training.mixed import MixedPrecisionClassifier
from qat.training.specs import FitSpec, OptimizerSpec

MOMENTUM = 0.9


def learned_table(
    prepared: Prepared,
    net: nn.Module,
    plan: Plan,
    costs: NetworkCosts,
    free: Sequence[Slot],
    budgets: Budgets,
) -> SensitivityTable:
    """Train a softmax over quantizers in every free slot, once for all seeds of a run.

    A training that was cut off goes on from its last epoch. Its weights are thrown away: the
    choices are kept. Batch norm keeps its statistics, as the calibrated network has them.

    Raises:
        ValueError: If a budget has no price with a gradient.
    """
    batches = list(sensitivity_batches(prepared))
    training = _training_batches(prepared, prepared.config.allocate.options["images"])
    digest = sensitivity_digest(net, plan, batches)
    cache = Cache(Path(prepared.config.paths.cache))
    key = _key(prepared, digest, training, free, budgets)
    checkpoints = cache.path_of("choice", key).with_suffix(".training")

    def make(path: Path) -> None:
        held = [slot for slot in slots_of(plan) if slot not in free]
        qnet = choose_widths(net, plan, prepared.config.sensitivity.widths, batches, fixed=held)
        _fit(prepared, qnet, overrun_price(qnet, costs, budgets), training, checkpoints)
        choice_table(qnet, digest).save(path)
        shutil.rmtree(checkpoints, ignore_errors=True)

    return SensitivityTable.load(cache.get_or_make("choice", key, make, suffix=".json"))


def _fit(
    prepared: Prepared,
    qnet: nn.Module,
    price: Callable[[], Tensor],
    training: Batches,
    folder: Path,
) -> None:
    config, options = prepared.config, prepared.config.allocate.options
    module = MixedPrecisionClassifier(
        qnet,
        OptimizerSpec(
            name=options["optimizer"],
            lr=options["lr"],
            momentum=MOMENTUM if options["optimizer"] == "sgd" else 0.0,
        ),
        choices=choice_parameters(qnet),
        price=price,
        price_weight=options["price_weight"],
        choice_lr=options["choice_lr"],
        set_temperature=partial(set_temperature, qnet),
    )
    spec = FitSpec(
        max_epochs=options["epochs"],
        accelerator=config.trainer.accelerator,
        keep="last",
        freeze_batch_norm_at=0,
    )
    bar = TrainingProgress("choice of widths")
    seed = config.sensitivity.seed
    fit(module, training.at_epoch, None, spec, folder, seed=seed, callbacks=[bar])


def _key(
    prepared: Prepared, digest: str, training: Batches, free: Sequence[Slot], budgets: Budgets
) -> dict[str, Any]:
    config = prepared.config
    return {
        "of": digest,
        "images": training.image_set.digest(),
        "batch_size": training.batch_size,
        "augment": prepared.settings["data"]["augment"],
        "options": config.allocate.options,
        "widths": config.sensitivity.widths,
        "free": [list(slot) for slot in free],
        "budgets": budgets.named(),
        "seed": config.sensitivity.seed,
        "device": prepared.device.type,
        "threads": torch.get_num_threads(),
        "numerics_version": NUMERICS_VERSION,
    }


def _training_batches(prepared: Prepared, images: int) -> Batches:
    """Training images, drawn by ``sensitivity.seed``, augmented as in training."""
    data, seed = prepared.data, prepared.config.sensitivity.seed
    return Batches(
        drawn(data.training, images, seed),
        prepared.config.trainer.batch_size,
        data.preprocess,
        augment=prepared.augment,
        shuffle=True,
        seed=seed,
    )
