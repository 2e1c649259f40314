"""Widths that a training learns (``allocate=learned``)."""

from collections.abc import Sequence
from functools import partial

import torch
from torch import nn

from qat.cli.prepare import Prepared
from qat.cli.sensitivity import sensitivity_batches
from qat.cli.training_progress import TrainingProgress
from qat.core.plan import Plan
from qat.data.batches import Batches
from qat.mixed.budget import Budgets
from qat.mixed.choice import choice_parameters, choose_widths, set_temperature
from qat.mixed.costs import NetworkCosts
from qat.mixed.digest import sensitivity_digest
from qat.mixed.learned import choice_table, overrun_price
from qat.mixed.table import SensitivityTable
from qat.mixed.widths import Slot, slots_of
from qat.training.fit import fit
from qat.training.mixed import MixedPrecisionClassifier
from qat.training.specs import FitSpec, OptimizerSpec

FOLDER = "choice"


def learned_table(
    prepared: Prepared,
    net: nn.Module,
    plan: Plan,
    costs: NetworkCosts,
    free: Sequence[Slot],
    budgets: Budgets,
) -> SensitivityTable:
    """Train a softmax over quantizers in every free slot; the score of a width is ``-log p``.

    A training that was cut off goes on from its last epoch. Its weights are thrown away: the
    choices are kept. Batch norm keeps its statistics, as the calibrated network has them.

    Raises:
        ValueError: If a budget has no price with a gradient.
    """
    config, options = prepared.config, prepared.config.allocate.options
    batches = list(sensitivity_batches(prepared))
    held = [slot for slot in slots_of(plan) if slot not in free]
    qnet = choose_widths(net, plan, config.sensitivity.widths, batches, fixed=held)
    module = MixedPrecisionClassifier(
        qnet,
        OptimizerSpec(
            name=options.get("opt", "sgd"),
            lr=options["lr"],
            momentum=0.9 if options.get("opt", "sgd") == "sgd" else 0.0,
        ),
        choices=choice_parameters(qnet),
        price=overrun_price(qnet, costs, budgets),
        price_weight=options["price_weight"],
        choice_lr=options["choice_lr"],
        temperatures=tuple(options.get("temps", [1.0, 0.1])),
        set_temperature=partial(set_temperature, qnet),
    )
    spec = FitSpec(
        max_epochs=options["epochs"],
        accelerator=config.trainer.accelerator,
        keep="last",
        freeze_batch_norm_at=0,
    )
    fit(
        module,
        _training_batches(prepared, options["images"]).at_epoch,
        None,
        spec,
        prepared.folder / FOLDER,
        seed=config.sensitivity.seed,
        callbacks=[TrainingProgress("choice of widths")],
    )
    return choice_table(qnet, sensitivity_digest(net, plan, batches))


def _training_batches(prepared: Prepared, images: int) -> Batches:
    """Training images, drawn by ``sensitivity.seed``, augmented as in training."""
    data, seed = prepared.data, prepared.config.sensitivity.seed
    order = torch.randperm(len(data.train), generator=torch.Generator().manual_seed(seed))
    return Batches(
        data.train.subset(order[:images]),
        prepared.config.trainer.batch_size,
        data.preprocess,
        augment=prepared.augment,
        shuffle=True,
        seed=seed,
    )
