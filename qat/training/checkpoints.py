"""Checkpoints of a training: the last epoch, the previous one, the best by validation accuracy."""

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

from qat.training.aids.averaging import averaged_state, settle_grids
from qat.training.errors import CheckpointError, DamagedCheckpointWarning

LAST, PREVIOUS, BEST = "last.ckpt", "previous.ckpt", "best.ckpt"
_NET = "net."  # prefix of the network's keys in the state of a classifier
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
    """Write ``last.ckpt`` after every epoch and ``best.ckpt`` after the best epoch so far.

    The file of the previous epoch becomes ``previous.ckpt``, in case the newer one is damaged.
    Better means a higher ``val/top1``; of equal epochs the first is kept. Each file is written
    under another name and renamed, so that a full disk or a killed process leaves the older file.
    ``best.ckpt`` is written first: if the process is killed between the two, the resumed training
    repeats that epoch and writes the same file.

    Args:
        folder: To write to; it may be moved between two runs.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.best_epoch, self.best_top1 = -1, float("-inf")

    def state_dict(self) -> dict[str, Any]:
        """The best epoch so far and its accuracy, for a resumed training."""
        return {"best_epoch": self.best_epoch, "best_top1": self.best_top1}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore the best epoch so far and its accuracy."""
        self.best_epoch, self.best_top1 = state_dict["best_epoch"], state_dict["best_top1"]

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Write the checkpoints; Lightning has validated this epoch already.

        Args:
            trainer: Writes the file; its epoch and metrics are read.
            pl_module: Not used.
        """
        if trainer.fast_dev_run:  # type: ignore[attr-defined]
            return
        # Without a validation set there is no such metric and no best epoch.
        top1 = float(trainer.callback_metrics.get("val/top1", float("-inf")))
        better = top1 > self.best_top1
        if better:
            self.best_epoch, self.best_top1 = trainer.current_epoch, top1
        last, best = (self.folder / f"{name}.part" for name in (LAST, BEST))
        if not trainer.is_global_zero:
            trainer.save_checkpoint(last)  # takes part in gathering the state, but writes no file
            return
        try:
            trainer.save_checkpoint(last)
            if better:
                shutil.copyfile(last, best)
                best.replace(self.folder / BEST)
            if (self.folder / LAST).exists():
                (self.folder / LAST).replace(self.folder / PREVIOUS)
            last.replace(self.folder / LAST)
        finally:  # on a full disk half a file would leave no room for the run record
            for unfinished in (last, best):
                unfinished.unlink(missing_ok=True)


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint as data: code in the file is never executed.

    Raises:
        CheckpointError: If the file cannot be read or a checksum in it is wrong.
    """
    try:
        with zipfile.ZipFile(path) as archive:  # torch itself does not check the checksums
            damaged = archive.testzip()
        if damaged:
            raise zipfile.BadZipFile(f"wrong checksum of {damaged}")
        checkpoint = torch.load(path, map_location="cpu", weights_only=True)
        return {**checkpoint, "epoch": int(checkpoint["epoch"])}
    except _UNREADABLE as error:
        reason = (str(error).splitlines() or [""])[0][:120]
        raise CheckpointError(
            f"cannot read checkpoint {path} ({type(error).__name__}: {reason}): "
            "remove it, and training resumes without it"
        ) from error


def find_resumable(folder: Path) -> tuple[Path, dict[str, Any]] | None:
    """The checkpoint to resume from: the last, else the previous, else the best, else None.

    A damaged one causes a warning and is skipped. Training is repeatable, so an earlier one leads
    to the same result.

    Returns:
        Path and content of the checkpoint, or None.
    """
    for path in (folder / LAST, folder / PREVIOUS, folder / BEST):
        if not path.exists():
            continue
        try:
            return path, read_checkpoint(path)
        except CheckpointError as error:
            warnings.warn(
                f"{error.args[0].rsplit(':', 1)[0]}: training resumes from an earlier state",
                DamagedCheckpointWarning,
                stacklevel=3,
            )
    return None


def load_net(net: nn.Module, checkpoint: dict[str, Any], path: Path) -> None:
    """Load the weights of a checkpoint into a network; averaged ones if it has them.

    Args:
        net: Changed in place.
        checkpoint: Content of the file.
        path: Of the file, for the message.

    Raises:
        CheckpointError: If the checkpoint belongs to another network.
    """
    check_fits(net, checkpoint, path)
    average = averaged_state(checkpoint)
    net.load_state_dict(average or _net_state(checkpoint))
    if average:
        settle_grids(net)


def check_fits(net: nn.Module, checkpoint: dict[str, Any], path: Path) -> None:
    """Check that a checkpoint has the keys and shapes of a network.

    Args:
        net: To compare with.
        checkpoint: Content of the file.
        path: Of the file, for the message.

    Raises:
        CheckpointError: If a key or a shape differs; the message names up to five.
    """
    stored = {key: tuple(value.shape) for key, value in _net_state(checkpoint).items()}
    expected = {key: tuple(value.shape) for key, value in net.state_dict().items()}
    if stored != expected:
        differing = sorted(key for key in stored | expected if stored.get(key) != expected.get(key))
        raise CheckpointError(
            f"checkpoint {path} belongs to another network: {', '.join(differing[:5])} "
            f"({len(differing)} in all) differ; use an empty folder"
        )


def _net_state(checkpoint: dict[str, Any]) -> dict[str, Tensor]:
    state = checkpoint["state_dict"]
    return {key.removeprefix(_NET): value for key, value in state.items() if key.startswith(_NET)}
