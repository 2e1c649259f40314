"""What is kept of a training, and what is read back: files written by torch, damaged by hand."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from qat.training.checkpoints import (
    KeepLastAndBest,
    check_fits,
    find_resumable,
    load_net,
    read_checkpoint,
)
from qat.training.errors import CheckpointError, DamagedCheckpointWarning


def state(net, epoch=0):
    return {"epoch": epoch, "state_dict": {f"net.{k}": v for k, v in net.state_dict().items()}}


def trainer(epoch, top1):
    """As Lightning's is at the end of an epoch; its checkpoint holds that epoch."""
    return SimpleNamespace(
        fast_dev_run=False,
        is_global_zero=True,
        current_epoch=epoch,
        callback_metrics={"val/top1": torch.tensor(top1)},
        save_checkpoint=lambda path: torch.save({"epoch": epoch}, path),
    )


def test_the_first_of_equal_epochs_is_the_best_and_the_last_has_one_before_it(tmp_path):
    keep = KeepLastAndBest(tmp_path)
    for epoch, top1 in enumerate([0.5, 0.75, 0.75, 0.25]):
        keep.on_train_epoch_end(trainer(epoch, top1), None)
    files = {path.name: read_checkpoint(path)["epoch"] for path in tmp_path.iterdir()}
    assert files == {"best.ckpt": 1, "last.ckpt": 3, "previous.ckpt": 2}
    assert keep.state_dict() == {"best_epoch": 1, "best_top1": 0.75}


def test_a_resumed_training_compares_with_the_best_before_it(tmp_path):
    keep = KeepLastAndBest(tmp_path)
    keep.load_state_dict({"best_epoch": 4, "best_top1": 0.9})
    keep.on_train_epoch_end(trainer(5, 0.875), None)
    assert [path.name for path in tmp_path.iterdir()] == ["last.ckpt"]


def test_the_newest_whole_checkpoint_is_resumed(tmp_path):
    assert find_resumable(tmp_path) is None
    for epoch, name in enumerate(["best", "previous", "last"]):
        torch.save({"epoch": epoch}, tmp_path / f"{name}.ckpt")
    path, checkpoint = find_resumable(tmp_path)
    assert (path.name, checkpoint["epoch"]) == ("last.ckpt", 2)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.warns(DamagedCheckpointWarning, match=r"last\.ckpt"):
        path, checkpoint = find_resumable(tmp_path)
    assert (path.name, checkpoint["epoch"]) == ("previous.ckpt", 1)


def test_a_checkpoint_is_data_and_no_code(tmp_path):
    torch.save({"epoch": 0, "code": print}, tmp_path / "it.ckpt")
    with pytest.raises(CheckpointError, match=r"cannot read checkpoint .*it\.ckpt"):
        read_checkpoint(tmp_path / "it.ckpt")


def test_weights_are_those_of_the_checkpoint_and_of_no_other_network(tmp_path):
    net, other = nn.Linear(3, 2), nn.Linear(3, 2)
    load_net(net, state(other), tmp_path)
    assert torch.equal(net.weight, other.weight)
    with pytest.raises(CheckpointError, match=r"another network: bias, weight \(2 in all\) differ"):
        check_fits(nn.Linear(3, 4), state(net), tmp_path)
