"""Widths that a training learns (``allocate=learned``)."""

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from qat.allocate.choice import choice_parameters, choose_widths, set_temperature
from qat.allocate.learned import choice_table, overrun_price
from qat.data.batches import Batches
from qat.run.mixed.candidates import Candidates
from qat.run.mixed.request import MixedRequest
from qat.run.training_progress import TrainingProgress
from qat.sensitivity.cache_key import sensitivity_digest
from qat.sensitivity.table import SensitivityTable
from qat.sensitivity.widths import slots_of
from qat.training.fit import fit
from qat.training.mixed import MixedPrecisionClassifier
from qat.training.specs import FitSpec, OptimizerSpec

MOMENTUM = 0.9


def learned_table(choice: Candidates) -> SensitivityTable:
    """Train a softmax over quantizers in every free slot, once for all seeds of a run.

    An interrupted training continues from its last epoch. Only the choices are kept, not the
    trained weights. Batch norm keeps the statistics of the calibrated network.

    Args:
        choice: The free widths, their costs, and budgets.

    Returns:
        The harm of each width in each free slot, from the cache if it is there.

    Raises:
        ValueError: If the cost of a budget has no gradient.
        TrainingError: If the training fails.
    """
    request, net, plan, budgets = choice.request, choice.source.net, choice.base, choice.budgets
    assert budgets is not None
    batches = list(request.sensitivity_images)
    training = _training_batches(request)
    digest = sensitivity_digest(net, plan, batches)
    cache = request.calibration.cache
    key = _key(choice, digest, training)
    checkpoints = cache.path_of("choice", key).with_suffix(".training")

    def make(path: Path) -> None:
        fixed = [slot for slot in slots_of(plan) if slot not in choice.free]
        qnet = choose_widths(net, plan, request.sensitivity.widths, batches, fixed=fixed)
        price = overrun_price(qnet, choice.costs, budgets)
        _fit(request, qnet, price, training, checkpoints)
        choice_table(qnet, digest).save(path)
        shutil.rmtree(checkpoints, ignore_errors=True)

    return SensitivityTable.load(cache.get_or_make("choice", key, make, suffix=".json"))


def _fit(
    request: MixedRequest,
    qnet: nn.Module,
    price: Callable[[], Tensor],
    training: Batches,
    folder: Path,
) -> None:
    options = request.allocate.options
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
        accelerator=request.accelerator,
        keep="last",
        freeze_batch_norm_at=0,
    )
    bar = TrainingProgress("choice of widths")
    seed = request.sensitivity.seed
    fit(module, training.at_epoch, None, spec, folder, seed=seed, callbacks=[bar])


def _key(choice: Candidates, digest: str, training: Batches) -> dict[str, Any]:
    request, budgets = choice.request, choice.budgets
    keys = request.calibration.keys
    return {
        "of": digest,
        "images": training.image_set.digest(),
        "batch_size": training.batch_size,
        "augment": keys.settings["data"]["augment"],
        "options": request.allocate.options,
        "widths": request.sensitivity.widths,
        "free": [list(slot) for slot in choice.free],
        "budgets": None if budgets is None else budgets.named(),
        "seed": request.sensitivity.seed,
        **keys.machine(),
    }


def _training_batches(request: MixedRequest) -> Batches:
    """Training images, drawn by ``sensitivity.seed``, augmented as in training."""
    return request.calibration.images.augmented_training(
        request.allocate.options["images"],
        request.sensitivity.seed,
        request.training_batch_size,
        request.augment,
    )
