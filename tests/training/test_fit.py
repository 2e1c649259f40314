"""A training from its start to its end, interruptions included."""

import copy
import inspect
import warnings

import lightning as L
import pytest
import torch
from lightning.pytorch.loggers import CSVLogger

from qat.training import fit as fit_file
from qat.training.classifier import FloatClassifier
from qat.training.errors import (
    TrainingError,
)
from qat.training.evaluate import evaluate
from qat.training.fit import fit
from qat.training.specs import OptimizerSpec, ScheduleSpec
from tests.training.watching import (
    COSINE,
    OPTIMIZER,
    At,
    Record,
    checkpoint,
    same,
    spec,
)


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
            ({"max_epochs": 1}, {"warmup_epochs": 1}, "must be below trainer.max_epochs=1"),
            ({"accelerator": "mps"}, {}, "torch finds no such device"),
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
