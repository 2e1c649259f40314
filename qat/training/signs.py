"""Detects negative values that unsigned codes clip during a training."""

from contextlib import ExitStack
from typing import Any

import lightning as L

from qat.convert.clipped import ClippedSigns, watching_signs
from qat.training.step import is_compiled


class WatchSigns(L.Callback):
    """Checks the first batch of every epoch; a compiled step is not checked.

    Attributes:
        worst: ``(name, slot)`` → the largest share of negative values of that tensor.
    """

    def __init__(self) -> None:
        self.worst: dict[tuple[str, str], ClippedSigns] = {}
        self._watch = ExitStack()
        self._clips: list[ClippedSigns] = []

    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Start to check the first batch.

        Args:
            trainer: Not used.
            pl_module: Its quantizers are checked.
            batch: Not used.
            batch_idx: Number of the batch in the epoch, from 0.
        """
        if batch_idx == 0 and not is_compiled(pl_module.step):  # type: ignore[arg-type]
            self._clips = self._watch.enter_context(watching_signs(pl_module))

    def on_train_batch_end(
        self,
        trainer: L.Trainer,
        pl_module: L.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Keep the result of the first batch.

        Args:
            trainer: Not used.
            pl_module: Not used.
            outputs: Not used.
            batch: Not used.
            batch_idx: Number of the batch in the epoch, from 0.
        """
        if batch_idx != 0:
            return
        self._watch.close()
        for clip in self._clips:
            place = clip.name.removeprefix("net."), clip.slot
            if place not in self.worst or clip.share > self.worst[place].share:
                clip.name = place[0]
                self.worst[place] = clip
        self._clips = []
