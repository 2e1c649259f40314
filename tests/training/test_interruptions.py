"""Killed, damaged, told to end: a training goes on to the same result."""

import copy
import os
import signal

import lightning as L
import pytest
import torch

from qat.training.classifier import FloatClassifier
from qat.training.errors import (
    CheckpointError,
    DamagedCheckpointWarning,
    TrainingInterrupted,
)
from qat.training.fit import fit
from qat.training.qat import QATClassifier
from tests.training.watching import (
    COSINE,
    OPTIMIZER,
    At,
    Record,
    StopError,
    checkpoint,
    same,
    spec,
    stop,
)


class TestResume:
    """Killed in any epoch and started again: the end is that of an undisturbed training."""

    @pytest.mark.parametrize(("epoch", "batch"), [(0, 2), (1, 0), (2, 4)])
    @pytest.mark.parametrize("accumulate", [1, 2])
    def test_to_the_last_bit(
        self, quantized_net, train_batches, val_batches, tmp_path, epoch, batch, accumulate
    ):
        settings = spec(accumulate_grad_batches=accumulate)

        def train(folder, *callbacks):
            module = QATClassifier(copy.deepcopy(quantized_net), OPTIMIZER, COSINE)
            record = Record()
            fit(
                module,
                train_batches,
                val_batches,
                settings,
                tmp_path / folder,
                callbacks=[record, *callbacks],
            )
            return module.net.state_dict(), record.last

        undisturbed = train("a")
        with pytest.raises(StopError):
            train("b", At(epoch, batch, stop))
        torch.rand(100)  # another process has another generator state
        resumed = train("b")
        assert same(undisturbed, resumed)
        for name in ("last.ckpt", "best.ckpt"):
            a, b = checkpoint(tmp_path / "a" / name), checkpoint(tmp_path / "b" / name)
            for part in ("state_dict", "optimizer_states", "lr_schedulers", "epoch", "callbacks"):
                assert same(a[part], b[part]), f"{part} of {name}"

    def test_in_another_folder(self, float_net, train_batches, val_batches, tmp_path):
        def train(folder, *callbacks):
            module = FloatClassifier(copy.deepcopy(float_net), OPTIMIZER, COSINE)
            return fit(
                module,
                train_batches,
                val_batches,
                spec(keep="best"),
                tmp_path / folder,
                callbacks=callbacks,
            )

        undisturbed = train("a")
        with pytest.raises(StopError):
            train("b", At(2, 0, stop))
        (tmp_path / "b").rename(tmp_path / "moved")
        resumed = train("moved")
        assert resumed.resumed_from == 2
        assert (resumed.epoch, resumed.val_top1) == (undisturbed.epoch, undisturbed.val_top1)

    def test_a_finished_training_is_only_loaded(self, float_net, train_batches, tmp_path):
        untouched = copy.deepcopy(float_net)
        fit(FloatClassifier(float_net, OPTIMIZER), train_batches, None, spec(), tmp_path)

        def never(epoch):
            raise AssertionError("asked for batches")

        result = fit(FloatClassifier(untouched, OPTIMIZER), never, None, spec(), tmp_path)
        assert (result.resumed_from, result.epochs, result.epoch) == (3, 3, 2)
        assert same(untouched.state_dict(), float_net.state_dict())

    def test_goes_on_to_more_epochs(self, float_net, train_batches, tmp_path):
        module = FloatClassifier(float_net, OPTIMIZER)
        fit(module, train_batches, None, spec(max_epochs=1), tmp_path)
        result = fit(module, train_batches, None, spec(max_epochs=2), tmp_path)
        assert (result.resumed_from, result.epochs, result.epoch) == (1, 2, 1)


class TestDamage:
    @pytest.fixture
    def trained(self, float_net, train_batches, val_batches, tmp_path):
        """A finished training, and a way to run it again from the start network."""
        start = copy.deepcopy(float_net)

        def again(**values):
            module = FloatClassifier(copy.deepcopy(start), OPTIMIZER)
            result = fit(module, train_batches, val_batches, spec(**values), tmp_path)
            return result, module.net.state_dict()

        return again, again()[1]

    @pytest.mark.parametrize("damage", ["truncated", "a byte changed", "empty", "text"])
    def test_a_damaged_last_gives_way_to_the_one_before_and_to_the_same_end(
        self, trained, tmp_path, damage
    ):
        again, state = trained
        data = bytearray((tmp_path / "last.ckpt").read_bytes())
        weight = state["5.weight"].numpy().tobytes()
        data[data.find(weight) + 5] ^= 255
        spoilt = {"truncated": data[:1000], "a byte changed": data, "empty": b"", "text": b"hello"}
        (tmp_path / "last.ckpt").write_bytes(spoilt[damage])
        with pytest.warns(DamagedCheckpointWarning, match=r"last\.ckpt") as caught:
            result, resumed = again()
        assert "\n" not in str(caught[0].message)
        assert result.resumed_from == 2  # of three epochs
        assert same(resumed, state)

    def test_with_all_damaged_it_starts_afresh(self, trained, tmp_path):
        again, state = trained
        for name in ("last.ckpt", "previous.ckpt", "best.ckpt"):
            (tmp_path / name).write_bytes(b"")
        with pytest.warns(DamagedCheckpointWarning):
            result, resumed = again()
        assert result.resumed_from == 0
        assert same(resumed, state)

    def test_a_damaged_result_is_named_with_the_cure(self, trained, tmp_path):
        again, _ = trained
        (tmp_path / "best.ckpt").write_bytes(b"")
        with pytest.raises(CheckpointError, match=r"best\.ckpt.*remove it"):
            again(keep="best")

    def test_another_network_is_refused(self, trained, train_batches, tmp_path):
        other = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(36, 3))
        with pytest.raises(CheckpointError, match=r"another network: 0\.bias.*empty folder"):
            fit(FloatClassifier(other, OPTIMIZER), train_batches, None, spec(), tmp_path)

    def test_a_full_disk_leaves_what_was_written_before(
        self, float_net, train_batches, tmp_path, monkeypatch
    ):
        module = FloatClassifier(float_net, OPTIMIZER)
        fit(module, train_batches, None, spec(max_epochs=1), tmp_path)
        before = (tmp_path / "last.ckpt").read_bytes()

        def full(self, path, *args, **kwargs):
            path.write_bytes(before[:100])
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(L.Trainer, "save_checkpoint", full)
        with pytest.raises(OSError, match="No space"):
            fit(module, train_batches, None, spec(max_epochs=2), tmp_path)
        assert (tmp_path / "last.ckpt").read_bytes() == before


class TestSignals:
    def test_sigterm_is_an_ordinary_exception(self, float_net, train_batches, tmp_path):
        kill = At(1, 1, lambda trainer: os.kill(os.getpid(), signal.SIGTERM))
        with pytest.raises(TrainingInterrupted, match="same command"):
            fit(
                FloatClassifier(float_net, OPTIMIZER),
                train_batches,
                None,
                spec(),
                tmp_path,
                callbacks=[kill],
            )
        assert checkpoint(tmp_path / "last.ckpt")["epoch"] == 0

    @pytest.fixture
    def sigint(self):
        """Python's own handler: a shell starts what it puts into the background without it."""
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        yield signal.default_int_handler
        signal.signal(signal.SIGINT, before)

    def test_ctrl_c_stays_what_it_is(self, float_net, train_batches, tmp_path, sigint):
        interrupt = At(1, 1, lambda trainer: signal.raise_signal(signal.SIGINT))
        with pytest.raises(KeyboardInterrupt):
            fit(
                FloatClassifier(float_net, OPTIMIZER),
                train_batches,
                None,
                spec(),
                tmp_path,
                callbacks=[interrupt],
            )
        assert signal.getsignal(signal.SIGINT) is sigint
