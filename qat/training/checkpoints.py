"""Checkpoints of a training: the last epoch, the one before, the best by validation accuracy."""

import pickle
import shutil
import warnings
import zipfile
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.pytorch.callbacks import Checkpoint
from torch import Tensor, nn

from qat.training.errors import CheckpointError, DamagedCheckpointWarning

LAST, PREVIOUS, BEST = "last.ckpt", "previous.ckpt", "best.ckpt"
_NET = "net."  # where a classifier holds its network
_UNREADABLE = (
    zipfile.BadZipFile,
    pickle.UnpicklingError,
    RuntimeError,
    EOFError,
    OSError,
    KeyError,
    ValueError,
)


class KeepLastAndBest(Checkpoint):
    """Write ``last.ckpt`` after every epoch, ``best.ckpt`` after the best one so far.

    The last one of the epoch before becomes ``previous.ckpt``, should the newer one be damaged.
    Better means a higher ``val/top1``; of equals the first is kept. Each file is written aside and
    renamed, so that a full disk or a kill leaves the one before it. The best goes first: killed
    between the two, the resumed training comes to that epoch again and writes the same.

    Args:
        folder: Where to write; may be moved between two runs.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.best_epoch, self.best_top1 = -1, float("-inf")

    def state_dict(self) -> dict[str, Any]:
        """What a resumed training compares with."""
        return {"best_epoch": self.best_epoch, "best_top1": self.best_top1}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take it up again."""
        self.best_epoch, self.best_top1 = state_dict["best_epoch"], state_dict["best_top1"]

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Write; validation of this epoch is over by now."""
        if trainer.fast_dev_run:  # type: ignore[attr-defined]
            return
        # Without a validation set there is no such metric, and nothing to choose by.
        top1 = float(trainer.callback_metrics.get("val/top1", float("-inf")))
        better = top1 > self.best_top1
        if better:
            self.best_epoch, self.best_top1 = trainer.current_epoch, top1
        last, best = (self.folder / f"{name}.part" for name in (LAST, BEST))
        if not trainer.is_global_zero:
            trainer.save_checkpoint(last)  # takes its part in gathering, and writes nothing
            return
        try:
            trainer.save_checkpoint(last)
            if better:
                shutil.copyfile(last, best)
                best.replace(self.folder / BEST)
            if (self.folder / LAST).exists():
                (self.folder / LAST).replace(self.folder / PREVIOUS)
            last.replace(self.folder / LAST)
        finally:  # on a full disk half a file would leave no room for the record to say so
            for aside in (last, best):
                aside.unlink(missing_ok=True)


def read_checkpoint(path: Path) -> dict[str, Any]:
    """A checkpoint, as data: no code in it is run.

    Raises:
        CheckpointError: If it cannot be read or a checksum in it is wrong.
    """
    try:
        with zipfile.ZipFile(path) as archive:  # torch itself does not look at the checksums
            damaged = archive.testzip()
        if damaged:
            raise zipfile.BadZipFile(f"wrong checksum of {damaged}")
        checkpoint = torch.load(path, map_location="cpu", weights_only=True)
        return {**checkpoint, "epoch": int(checkpoint["epoch"])}
    except _UNREADABLE as error:
        reason = (str(error).splitlines() or [""])[0][:120]
        raise CheckpointError(
            f"cannot read checkpoint {path} ({type(error).__name__}: {reason}): "
            "remove it, and training goes on without it"
        ) from error


def find_resumable(folder: Path) -> tuple[Path, dict[str, Any]] | None:
    """The checkpoint to go on from: the last, else the one before, else the best, else None.

    One that is damaged is reported and passed over; training being repeatable, an earlier one
    leads to the same end.
    """
    for path in (folder / LAST, folder / PREVIOUS, folder / BEST):
        if not path.exists():
            continue
        try:
            return path, read_checkpoint(path)
        except CheckpointError as error:
            warnings.warn(
                f"{error.args[0].rsplit(':', 1)[0]}: going on from an earlier state",
                DamagedCheckpointWarning,
                stacklevel=3,
            )
    return None


def load_net(net: nn.Module, checkpoint: dict[str, Any], path: Path) -> None:
    """Load a checkpoint's weights into a network.

    Raises:
        CheckpointError: If the checkpoint is of another network.
    """
    check_fits(net, checkpoint, path)
    net.load_state_dict(_net_state(checkpoint))


def check_fits(net: nn.Module, checkpoint: dict[str, Any], path: Path) -> None:
    """Raise CheckpointError unless a checkpoint holds this network's keys and shapes."""
    held = {key: tuple(value.shape) for key, value in _net_state(checkpoint).items()}
    wanted = {key: tuple(value.shape) for key, value in net.state_dict().items()}
    if held != wanted:
        differing = sorted(key for key in held | wanted if held.get(key) != wanted.get(key))
        raise CheckpointError(
            f"checkpoint {path} is of another network: {', '.join(differing[:5])} "
            f"({len(differing)} in all) differ; use an empty folder"
        )


def _net_state(checkpoint: dict[str, Any]) -> dict[str, Tensor]:
    state = checkpoint["state_dict"]
    return {key.removeprefix(_NET): value for key, value in state.items() if key.startswith(_NET)}
