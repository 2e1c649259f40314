"""Looks out for negative values that unsigned codes meet while a network trains."""

from contextlib import ExitStack
from typing import Any

import lightning as L

from qat.convert.clipped import ClippedSigns, watching_signs
from qat.training.step import is_compiled


class WatchSigns(L.Callback):
    """Looks at the first batch of every epoch; a compiled step is left alone.

    Attributes:
        worst: ``(name, slot)`` → the worst that was seen there.
    """

    def __init__(self) -> None:
        self.worst: dict[tuple[str, str], ClippedSigns] = {}
        self._watch = ExitStack()
        self._seen: list[ClippedSigns] = []

    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Begin to look."""
        if batch_idx == 0 and not is_compiled(pl_module.step):  # type: ignore[arg-type]
            self._seen = self._watch.enter_context(watching_signs(pl_module))

    def on_train_batch_end(
        self,
        trainer: L.Trainer,
        pl_module: L.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Keep what was seen."""
        if batch_idx != 0:
            return
        self._watch.close()
        for clip in self._seen:
            place = clip.name.removeprefix("net."), clip.slot
            if place not in self.worst or clip.share > self.worst[place].share:
                clip.name = place[0]
                self.worst[place] = clip
        self._seen = []
