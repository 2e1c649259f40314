"""What is noted of a training: right by hand, and without any effect on it."""

import copy

import pytest
import torch
from lightning.pytorch.loggers import CSVLogger

from qat.convert.calibrate import calibrate
from qat.convert.rules import make_plan
from qat.convert.swap import quantize
from qat.core.scheme import Method, Scheme, TensorSpec
from qat.records.side_files.history import HistoryFile, HistoryWriter
from qat.training.fit import fit
from qat.training.history import QuantizerHistory
from qat.training.qat import QATClassifier
from tests.training.watching import COSINE, OPTIMIZER, At, StopError, same, spec, stop


def train(net, train_batches, val_batches, folder, *callbacks, **settings):
    module = QATClassifier(copy.deepcopy(net), OPTIMIZER, COSINE)
    fit(module, train_batches, val_batches, spec(**settings), folder, callbacks=callbacks)
    return module.net


def test_noting_changes_no_weight(quantized_net, train_batches, val_batches, tmp_path):
    plain = train(quantized_net, train_batches, val_batches, tmp_path / "a")
    history = QuantizerHistory(2, HistoryWriter(tmp_path / "history.csv"))
    noted = train(quantized_net, train_batches, val_batches, tmp_path / "b", history)
    assert same(plain.state_dict(), noted.state_dict())
    assert not any(module._forward_pre_hooks for module in noted.modules())


def test_every_layer_is_noted_every_so_many_steps(
    quantized_net, train_batches, val_batches, tmp_path
):
    history = QuantizerHistory(4, HistoryWriter(tmp_path / "history.csv"))
    net = train(
        quantized_net, train_batches, val_batches, tmp_path, history, max_epochs=4, keep="last"
    )
    path = tmp_path / "history.csv"
    rows = HistoryFile.from_csv(path.read_bytes(), path).rows
    assert sorted({row.step for row in rows}) == [4, 8, 12, 16, 20]  # four epochs of five
    keys = {(row.layer, row.slot, row.metric) for row in rows}
    of_weight = {"scale", "clipping", "flips", "sqnr_db"}
    expected = {(layer, "weight", metric) for layer in ("0", "5") for metric in of_weight}
    assert keys == expected | {(n, "act", m) for n in ("0", "5") for m in ("scale", "clipping")}
    last = {(r.layer, r.slot, r.metric): r.value for r in rows if r.step == 20}
    weight, quantizer = net[5].weight.detach(), net[5].weight_quantizer.requires_grad_(False)
    assert last["5", "weight", "scale"] == pytest.approx(float(quantizer.step.abs().mean()))
    noise = (quantizer(weight) - weight).double().square().sum()
    db = 10 * torch.log10(weight.double().square().sum() / noise)
    assert last["5", "weight", "sqnr_db"] == pytest.approx(float(db), abs=1e-3)
    assert all(0 <= r.value <= 1 for r in rows if r.metric in ("clipping", "flips"))
    assert any(r.value > 0 for r in rows if r.metric == "flips")


def test_a_resumed_training_repeats_no_row(quantized_net, train_batches, val_batches, tmp_path):
    whole = QuantizerHistory(2, HistoryWriter(tmp_path / "whole.csv"))
    train(quantized_net, train_batches, val_batches, tmp_path / "a", whole)
    cut = QuantizerHistory(2, HistoryWriter(tmp_path / "cut.csv"))
    with pytest.raises(StopError):
        train(quantized_net, train_batches, val_batches, tmp_path / "b", cut, At(1, 4, stop))
    again = QuantizerHistory(2, HistoryWriter(tmp_path / "cut.csv"))
    train(quantized_net, train_batches, val_batches, tmp_path / "b", again)
    assert (tmp_path / "cut.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()


def test_loggers_get_the_readings_too(quantized_net, train_batches, val_batches, tmp_path):
    logger = CSVLogger(tmp_path, name="logs", version="")
    module = QATClassifier(copy.deepcopy(quantized_net), OPTIMIZER, COSINE)
    history = QuantizerHistory(5, HistoryWriter(tmp_path / "history.csv"))
    fit(module, train_batches, val_batches, spec(), tmp_path, loggers=[logger], callbacks=[history])
    header = (tmp_path / "logs" / "metrics.csv").read_text().splitlines()[0]
    for tag in ("scale/0.weight", "clipping/5.act", "flips/5.weight", "sqnr_weight_db/0.weight"):
        assert tag in header


def test_it_must_look_sometimes(tmp_path):
    with pytest.raises(ValueError, match="every_n_steps must be 1 or more, got 0"):
        QuantizerHistory(0, HistoryWriter(tmp_path / "it.csv"))


@pytest.mark.parametrize("name", ["fp8_e4m3", "mxfp4_e2m1", "ternary"])
def test_levels_without_a_common_step_have_flips_and_ratio(
    name, float_net, images, train_batches, val_batches, tmp_path
):
    if name == "ternary":
        weight = TensorSpec(bits=2, quantizer=Method("ternary"))
        act = TensorSpec(bits=8)
    else:
        weight = act = TensorSpec(format=name)
    scheme = Scheme(weight, act, first_last="same")
    net = quantize(float_net, make_plan(float_net, scheme, images[:8]))
    calibrate(net, [images[:16]])
    history = QuantizerHistory(4, HistoryWriter(tmp_path / "history.csv"))
    train(net, train_batches, val_batches, tmp_path, history)
    path = tmp_path / "history.csv"
    content = path.read_bytes() if path.exists() else b""
    rows = HistoryFile.from_csv(content, path).rows if content else ()
    of_weight = {row.metric for row in rows if row.slot == "weight"}
    assert of_weight == (set() if name.startswith("mx") else {"flips", "sqnr_db"})


def test_levels_without_a_common_step_have_no_scale(
    float_net, images, train_batches, val_batches, tmp_path
):
    weight = TensorSpec(bits=2, granularity="channel", quantizer=Method("dorefa"))
    scheme = Scheme(weight, TensorSpec(bits=4, quantizer=Method("pact")))
    qnet = quantize(float_net, make_plan(float_net, scheme, images[:8]))
    calibrate(qnet, [images[:16]])
    history = QuantizerHistory(1, HistoryWriter(tmp_path / "history.csv"))
    train(qnet, train_batches, val_batches, tmp_path, history, max_epochs=1)
    path = tmp_path / "history.csv"
    metrics = {(row.slot, row.metric) for row in HistoryFile.from_csv(path.read_bytes(), path).rows}
    of_act = {("act", "scale"), ("act", "clipping")}
    assert metrics == {("weight", "flips"), ("weight", "sqnr_db")} | of_act
