"""Training of a network that chooses among bit widths, with a price for the choice.

As in Wu et al. (DNAS), arXiv:1812.00090, and Cai and Vasconcelos (EdMIPS), arXiv:2004.05795, the
logits of the choices are trained together with all other parameters, by

    loss = cross entropy + price_weight * price,

where the price is the cost of the expected network. Differs from both papers: the price is a
function that the caller passes, so that it may be zero within a budget; and the temperature of the
softmax falls during the training, so that the final choice is close to the trained mixture.
"""

from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor, nn

from qat.base.errors import InputError
from qat.training.classifier import TrainingBatch
from qat.training.optimizers import ParameterGroup
from qat.training.qat import QATClassifier
from qat.training.specs import OptimizerSpec, ScheduleSpec

WIDTHS = "widths"


class MixedPrecisionClassifier(QATClassifier):
    """Trains a network whose quantizers choose among widths.

    Logs ``train/price``, the mean of an epoch, in addition to the values of every classifier. The
    step is never compiled, because the temperature changes with every step.

    Args:
        net: With choices in it.
        optimizer: Optimizer, learning rates and weight decay of weights and quantizers.
        choices: Logits of the choices, parameters of ``net``: group ``widths``, without decay.
        price: Returns the cost of the expected network, a scalar with a gradient.
        price_weight: Nats of cross entropy that equal one unit of price.
        choice_lr: Learning rate of the logits.
        set_temperature: Called with the temperature of the softmax before each step.
        temperatures: At the first and at the last step; geometric in between.
        schedule: Schedule of the learning rates; None for constant rates.

    Raises:
        ValueError: If there is no choice, or a number is not above 0.
    """

    def __init__(
        self,
        net: nn.Module,
        optimizer: OptimizerSpec,
        *,
        choices: Sequence[nn.Parameter],
        price: Callable[[], Tensor],
        price_weight: float,
        choice_lr: float,
        set_temperature: Callable[[float], None],
        temperatures: tuple[float, float] = (1.0, 0.1),
        schedule: ScheduleSpec | None = None,
    ) -> None:
        super().__init__(net, optimizer, schedule)
        if not choices:
            raise InputError("there is no width to learn: the network has no choices")
        numbers = {"price_weight": price_weight, "choice_lr": choice_lr}
        numbers |= dict(zip(("first temperature", "last temperature"), temperatures, strict=True))
        for name, value in numbers.items():
            if not value > 0:
                raise InputError(f"{name} must be above 0, got {value}")
        self.choice_ids = frozenset(map(id, choices))
        self.choices, self.price, self.price_weight = list(choices), price, price_weight
        self.choice_lr, self.temperatures = choice_lr, temperatures
        self.set_temperature = set_temperature

    def parameter_groups(self) -> list[ParameterGroup]:
        """The groups of quantization-aware training, and the group ``widths`` of the logits."""
        groups = []
        for group in super().parameter_groups():
            kept = [p for p in group["params"] if id(p) not in self.choice_ids]
            groups += [{**group, "params": kept}] if kept else []
        own: ParameterGroup = {"params": self.choices, "lr": self.choice_lr, "weight_decay": 0.0}
        return [*groups, {"name": WIDTHS, **own}]

    def temperature(self, step: int, steps: int) -> float:
        """``first * (last / first) ** (step / (steps - 1))``.

        Args:
            step: Optimizer step, from 0.
            steps: Optimizer steps of the whole training.
        """
        first, last = self.temperatures
        share = min(step / max(steps - 1, 1), 1.0)
        return float(first * (last / first) ** share)

    def on_train_batch_start(self, batch: Any, batch_idx: int) -> None:
        """Set the temperature; it depends on the step alone, also in a resumed training.

        Args:
            batch: Not used.
            batch_idx: Not used.
        """
        steps = int(self.trainer.estimated_stepping_batches)
        self.set_temperature(self.temperature(self.trainer.global_step, steps))

    def training_step(self, batch: TrainingBatch, batch_idx: int) -> Tensor:
        """Mean loss of a batch plus the weighted price.

        Args:
            batch: Images, labels and, from ``RankBatches``, the weight of this rank.
            batch_idx: Not used.
        """
        price = self.price()
        self.log("train/price", price.detach(), on_step=False, on_epoch=True, batch_size=1)
        return super().training_step(batch, batch_idx) + self.price_weight * price
