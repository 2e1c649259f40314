"""Records scale, clipping, flips and SQNR of every quantizer during a training."""

from collections.abc import Iterable
from functools import partial
from typing import Any, Protocol

import lightning as L
import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from qat.analysis.flips import flip_share
from qat.analysis.history import TAGS
from qat.analysis.sums import clipped, has_step
from qat.base.errors import InputError
from qat.layers.walk import quantizers
from qat.quantizers.base import Quantizer
from qat.quantizers.dynamic import is_dynamic
from qat.training.step import is_compiled

_ReadingKey = tuple[str, str, str]  # layer, slot, metric


class ReadingsFile(Protocol):
    """A file that readings are added to; a run's is its ``history.csv``."""

    def append(self, rows: Iterable[tuple[int, str, str, str, float]]) -> None:
        """Add readings.

        Args:
            rows: Step, layer, slot, metric and value of each.
        """

    def forget_after(self, step: int) -> None:
        """Remove the readings of later steps.

        Args:
            step: The last optimizer step that is kept.
        """


class QuantizerHistory(L.Callback):
    """Record scale, clipping, flips and SQNR of every layer at regular optimizer steps.

    SQNR is the signal-to-quantization-noise ratio in dB. Clipping is the share of values outside
    the range, flips the share of weights whose code has changed in the step. Readings go to the
    trainer's loggers (``scale/LAYER.weight``, ``clipping/...``, ``flips/...``,
    ``sqnr_weight_db/...``) and to a file. They change no number of the training. Hooks read the
    inputs; they exist only in recorded steps. A compiled training step would be compiled again for
    a hook, so there the clipping of inputs is left out.

    Args:
        every_n_steps: Optimizer steps between two readings.
        file: Where readings are kept.

    Raises:
        ValueError: If ``every_n_steps`` is below 1.
    """

    def __init__(self, every_n_steps: int, file: ReadingsFile) -> None:
        if every_n_steps < 1:
            raise InputError(f"every_n_steps must be 1 or more, got {every_n_steps}")
        self.every_n_steps, self.file = every_n_steps, file
        self._codes: dict[str, Tensor] = {}
        self._readings: dict[_ReadingKey, Tensor] = {}
        self._hooks: list[RemovableHandle] = []

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Remove the rows that an interrupted training has written after its last checkpoint.

        Args:
            trainer: Its optimizer step is read.
            pl_module: Not used.
        """
        if trainer.is_global_zero:
            self.file.forget_after(trainer.global_step)

    @torch.no_grad()
    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Keep the codes of the weights and hook the inputs, if this step is recorded.

        Args:
            trainer: Its optimizer step is read.
            pl_module: Its quantizers are read.
            batch: Not used.
            batch_idx: Number of the batch in the epoch, from 0.
        """
        if not self._is_recorded(trainer, batch_idx):
            return
        compiled = is_compiled(pl_module.step)  # type: ignore[arg-type]
        for name, slot, quantizer in _with_range(pl_module):
            if slot == "weight":
                self._codes[name] = quantizer.encode(_weight(pl_module, name))
            elif not compiled and has_step(quantizer):
                read = partial(self._read_input, (name, slot, "clipping"))
                self._hooks.append(quantizer.register_forward_pre_hook(read))

    @torch.no_grad()
    def on_train_batch_end(
        self,
        trainer: L.Trainer,
        pl_module: L.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Read all quantizers after a recorded step; the device is synchronised once.

        Args:
            trainer: Its loggers receive the readings.
            pl_module: Its quantizers are read.
            outputs: Not used.
            batch: Not used.
            batch_idx: Not used.
        """
        if not self._codes and not self._hooks:
            return
        for hook in self._hooks:
            hook.remove()
        for name, slot, quantizer in _with_range(pl_module):
            if has_step(quantizer):
                self._readings[name, slot, "scale"] = quantizer.qparams().scale.mean().double()
            if slot == "weight":
                self._read_weight(name, _weight(pl_module, name), quantizer)
        self._write(trainer)
        self._codes, self._readings, self._hooks = {}, {}, []

    def _is_recorded(self, trainer: L.Trainer, batch_idx: int) -> bool:
        accumulated = trainer.accumulate_grad_batches
        steps = (batch_idx + 1) % accumulated == 0 or trainer.is_last_batch
        return steps and (trainer.global_step + 1) % self.every_n_steps == 0

    def _read_input(self, key: _ReadingKey, module: nn.Module, args: tuple[Any, ...]) -> None:
        assert isinstance(module, Quantizer)
        with torch.no_grad():
            self._readings[key] = clipped(args[0].detach(), module.qparams()).double().mean()

    def _read_weight(self, name: str, weight: Tensor, quantizer: Quantizer) -> None:
        codes = quantizer.encode(weight)
        noise = (quantizer.decode(codes) - weight).double().square().sum()
        signal = weight.double().square().sum()
        tiny = torch.finfo(torch.float64).tiny
        ratio = 10 * torch.log10((signal / noise.clamp(min=tiny)).clamp(min=tiny))
        self._readings[name, "weight", "sqnr_db"] = ratio
        if has_step(quantizer):
            outside = clipped(weight, quantizer.qparams())
            self._readings[name, "weight", "clipping"] = outside.double().mean()
        self._readings[name, "weight", "flips"] = flip_share(self._codes[name], codes)

    def _write(self, trainer: L.Trainer) -> None:
        if not trainer.is_global_zero:
            return
        values = torch.stack(list(self._readings.values())).tolist()
        readings, step = dict(zip(self._readings, values, strict=True)), trainer.global_step
        self.file.append((step, *key, value) for key, value in readings.items())
        scalars = {
            f"{TAGS[metric]}/{layer}.{slot}": value
            for (layer, slot, metric), value in readings.items()
        }
        for logger in trainer.loggers:
            logger.log_metrics(scalars, step=step)


def _with_range(module: L.LightningModule) -> list[tuple[str, str, Quantizer]]:
    return [(n, s, q) for n, s, q in quantizers(module.net) if not is_dynamic(q)]  # type: ignore[arg-type]


def _weight(module: L.LightningModule, name: str) -> Tensor:
    return module.net.get_submodule(name).weight  # type: ignore[union-attr,return-value]
