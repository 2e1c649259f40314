"""A training from its start to its end, interruptions included."""

import copy
import inspect
import os
import signal
import warnings

import lightning as L
import pytest
import torch
from lightning.pytorch.loggers import CSVLogger

from qat.training import fit as fit_file
from qat.training.classifier import FloatClassifier
from qat.training.errors import (
    CheckpointError,
    DamagedCheckpointWarning,
    TrainingError,
    TrainingInterrupted,
)
from qat.training.evaluate import evaluate
from qat.training.fit import fit
from qat.training.qat import QATClassifier
from qat.training.specs import FitSpec, OptimizerSpec, ScheduleSpec

OPTIMIZER = OptimizerSpec(lr=0.1, momentum=0.9, weight_decay=1e-4, step_lr=0.01)
COSINE = ScheduleSpec("cosine", warmup_epochs=0.5)


def spec(**values) -> FitSpec:
    return FitSpec(**{"max_epochs": 3, "accelerator": "cpu", "keep": "last", **values})


class StopError(Exception):
    """Stands for a kill."""


class At(L.Callback):
    """Do something after a batch of an epoch."""

    def __init__(self, epoch: int, batch: int, action) -> None:
        self.when, self.action = (epoch, batch), action

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
        if (trainer.current_epoch, batch_idx) == self.when:
            self.action(trainer)


class Record(L.Callback):
    """Keep what each epoch measured, rates included."""

    def __init__(self) -> None:
        self.metrics = {}

    def on_train_end(self, trainer, pl_module):
        self.last = {key: float(value) for key, value in trainer.callback_metrics.items()}

    def on_train_epoch_start(self, trainer, pl_module):
        if trainer.current_epoch:
            self._keep(trainer)

    def _keep(self, trainer):
        values = {key: float(value) for key, value in trainer.callback_metrics.items()}
        self.metrics[trainer.current_epoch - 1] = values


def stop(trainer):
    raise StopError


def same(a, b) -> bool:
    """Equal bit for bit, at any depth."""
    if isinstance(a, torch.Tensor):
        return torch.equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b


def checkpoint(path) -> dict:
    return torch.load(path, weights_only=True)


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
    def test_a_damaged_last_gives_way_to_the_best_and_to_the_same_end(
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
        assert result.resumed_from <= 3
        assert same(resumed, state)

    def test_with_both_damaged_it_starts_afresh(self, trained, tmp_path):
        again, state = trained
        for name in ("last.ckpt", "best.ckpt"):
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


class TestChoice:
    def test_best_is_the_epoch_of_highest_validation_accuracy(
        self, float_net, train_batches, val_batches, tmp_path
    ):
        class Spoil(L.Callback):
            """Make the network worse after its second epoch."""

            def on_train_epoch_start(self, trainer, pl_module):
                if trainer.current_epoch == 2:
                    for parameter in pl_module.net.parameters():
                        parameter.data.neg_()

        record = Record()
        module = FloatClassifier(float_net, OptimizerSpec(lr=0.1))
        settings = spec(keep="best", limit_train_batches=1)
        callbacks = [record, Spoil()]
        result = fit(module, train_batches, val_batches, settings, tmp_path, callbacks=callbacks)
        top1 = [record.metrics[0], record.metrics[1], record.last]
        top1 = [metrics["val/top1"] for metrics in top1]
        assert top1[2] < max(top1)
        assert (result.kept, result.epoch) == ("best", top1.index(max(top1)))
        assert result.checkpoint == tmp_path / "best.ckpt"
        assert evaluate(module.net, val_batches)["top1"] == pytest.approx(max(top1))
        assert result.val_top1 == pytest.approx(max(top1))

        fit(module, train_batches, val_batches, spec(), tmp_path)
        assert evaluate(module.net, val_batches)["top1"] == pytest.approx(top1[2])

    def test_best_without_a_validation_set_is_refused(self, float_net, train_batches, tmp_path):
        with pytest.raises(ValueError, match=r"keep=best needs a validation set.*keep=last"):
            fit(
                FloatClassifier(float_net, OPTIMIZER),
                train_batches,
                None,
                spec(keep="best"),
                tmp_path / "f",
            )
        assert not (tmp_path / "f").exists()

    def test_checkpoints_hold_the_plain_networks_keys(self, float_net, train_batches, tmp_path):
        fit(FloatClassifier(float_net, OPTIMIZER), train_batches, None, spec(), tmp_path)
        held = checkpoint(tmp_path / "last.ckpt")["state_dict"]
        assert held.keys() == {f"net.{key}" for key in float_net.state_dict()}

    def test_it_cannot_be_given_the_test_set(self):
        names = inspect.signature(fit).parameters
        assert [name for name in names if "batches" in name] == ["train_batches", "val_batches"]
        assert not any("test" in name or "data" in name for name in names)


class TestNotANumber:
    def test_epoch_and_batch_are_named_with_a_cure(self, float_net, train_batches, tmp_path):
        def spoil(trainer):
            trainer.lightning_module.net[5].weight.data[0, 0] = torch.nan

        module = FloatClassifier(float_net, OPTIMIZER)
        message = r"training loss is nan in epoch 1, batch 3 .*lower optimizer\.lr"
        with pytest.raises(TrainingError, match=message):
            fit(module, train_batches, None, spec(), tmp_path, callbacks=[At(1, 2, spoil)])
        assert checkpoint(tmp_path / "last.ckpt")["epoch"] == 0

    def test_broken_images_are_told_from_a_high_rate(
        self, float_net, train_batches, images, tmp_path
    ):
        images[0] = torch.nan
        with pytest.raises(TrainingError, match=r"images of epoch 0, batch . .*repair the data"):
            fit(FloatClassifier(float_net, OPTIMIZER), train_batches, None, spec(), tmp_path)

    def test_a_last_step_that_breaks_the_weights_is_no_success(
        self, float_net, train_batches, val_batches, tmp_path
    ):
        def spoil(trainer):
            trainer.lightning_module.net[5].weight.data[0, 0] = torch.nan

        module = FloatClassifier(copy.deepcopy(float_net), OPTIMIZER)
        with pytest.raises(TrainingError, match="validation loss is nan after epoch 0"):
            fit(module, train_batches, val_batches, spec(), tmp_path, callbacks=[At(0, 4, spoil)])
        with pytest.raises(TrainingError, match=r"NaN or infinity in 5\.weight"):
            fit(
                FloatClassifier(float_net, OPTIMIZER),
                train_batches,
                None,
                spec(max_epochs=1),
                tmp_path / "b",
                callbacks=[At(0, 4, spoil)],
            )


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

    def test_ctrl_c_stays_what_it_is(self, float_net, train_batches, tmp_path):
        handler = signal.getsignal(signal.SIGINT)
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
        assert signal.getsignal(signal.SIGINT) is handler


class TestTheRest:
    def test_rates_and_metrics_are_logged_once_an_epoch(
        self, float_net, train_batches, val_batches, tmp_path
    ):
        logger = CSVLogger(tmp_path, name="", version="log")
        module = FloatClassifier(float_net, OptimizerSpec(lr=0.1), ScheduleSpec("step", 0, 1))
        fit(module, train_batches, val_batches, spec(), tmp_path, loggers=[logger])
        lines = (tmp_path / "log" / "metrics.csv").read_text().splitlines()
        columns = lines[0].split(",")
        wanted = {"train/loss", "train/top1", "val/loss", "val/top1", "lr/weights"}
        assert wanted <= set(columns)
        cells = [line.split(",")[columns.index("lr/weights")] for line in lines[1:]]
        # What the rate is after the epoch's last step.
        assert [float(c) for c in cells if c] == pytest.approx([0.01, 0.001, 0.0001])

    def test_metrics_are_those_of_all_images(self, float_net, train_batches, val_batches, tmp_path):
        record = Record()
        module = FloatClassifier(float_net, OPTIMIZER)
        fit(module, train_batches, val_batches, spec(), tmp_path, callbacks=[record])
        expected = evaluate(module.net, val_batches)
        assert record.last["val/top1"] == pytest.approx(expected["top1"])
        assert record.last["val/loss"] == pytest.approx(expected["loss"], rel=1e-5)

    def test_fast_dev_run_runs_a_batch_and_keeps_nothing(
        self, float_net, train_batches, val_batches, tmp_path
    ):
        start = copy.deepcopy(float_net.state_dict())
        module = FloatClassifier(float_net, OPTIMIZER, COSINE)
        settings = spec(fast_dev_run=True, keep="best")
        result = fit(module, train_batches, val_batches, settings, tmp_path)
        assert result.checkpoint is None
        assert not list(tmp_path.iterdir())
        assert not same(start, float_net.state_dict())

    def test_the_process_is_left_as_it_was(self, float_net, train_batches, tmp_path, capfd):
        torch.manual_seed(5)
        state = torch.get_rng_state()
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            float_net.eval()
            module = FloatClassifier(float_net, OPTIMIZER)
            fit(module, train_batches, None, spec(max_epochs=1), tmp_path)
            fit(module, train_batches, None, spec(max_epochs=2), tmp_path)
        assert torch.equal(torch.get_rng_state(), state)
        assert not torch.are_deterministic_algorithms_enabled()
        assert capfd.readouterr() == ("", "")
        assert not float_net.training

    def test_training_is_in_training_mode_whatever_came_in(
        self, float_net, train_batches, tmp_path
    ):
        float_net.eval()
        fit(FloatClassifier(float_net, OPTIMIZER), train_batches, None, spec(), tmp_path)
        assert float_net[1].num_batches_tracked == 15

    def test_seeds_differ_in_what_is_drawn(self, float_net, train_batches, tmp_path):
        def train(seed, folder):
            net = copy.deepcopy(float_net)
            module = FloatClassifier(net, OPTIMIZER)
            fit(module, train_batches, None, spec(max_epochs=1), tmp_path / folder, seed=seed)
            return net.state_dict()

        assert same(train(0, "a"), train(0, "b"))
        assert not same(train(0, "a"), train(1, "c"))

    @pytest.mark.parametrize(
        ("settings", "values", "message"),
        [
            ({"max_epochs": 1}, {"warmup_epochs": 1}, "must be below trainer.max_epochs 1"),
            ({"accelerator": "mps"}, {}, "torch finds none"),
        ],
    )
    def test_what_cannot_be_is_refused(
        self, float_net, train_batches, tmp_path, settings, values, message
    ):
        if settings.get("accelerator") == "mps":
            assert not torch.backends.mps.is_available()
        module = FloatClassifier(float_net, OPTIMIZER, ScheduleSpec(**values))
        with pytest.raises(ValueError, match=message):
            fit(module, train_batches, None, spec(**settings), tmp_path)

    def test_an_iterator_is_no_validation_set(self, float_net, train_batches, tmp_path):
        module = FloatClassifier(float_net, OPTIMIZER)
        with pytest.raises(ValueError, match="ends after one epoch"):
            fit(module, train_batches, iter([]), spec(), tmp_path)

    def test_no_batches_is_an_error(self, float_net, tmp_path):
        with pytest.raises(ValueError, match="no batches"):
            fit(FloatClassifier(float_net, OPTIMIZER), lambda epoch: [], None, spec(), tmp_path)


def test_an_exit_from_within_is_no_success():
    with pytest.raises(TrainingError, match="code 0"), fit_file._as_exceptions():
        raise SystemExit(0)
