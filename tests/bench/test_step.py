"""The step benchmark: what it reports, on a network small enough for a test."""

import json
from types import SimpleNamespace

import pytest
import torch

from bench import step
from bench._training import Case, in_format, scheme_of
from qat.core import kernels

TINY = ["--model", "simple_cnn", "--batch", "2", "--size", "8", "--steps", "3", "--warmup", "1"]
CASE = Case(model="simple_cnn", batch=2, size=8)
BOTH = ["contiguous", "channels_last"]

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def no_compiler(monkeypatch):
    monkeypatch.setattr(kernels, "has_compiler", lambda: False)
    monkeypatch.setattr(step, "has_compiler", lambda: False)


def test_reports_rates_and_paired_ratios_in_both_formats(no_compiler, tmp_path, capsys):
    with pytest.warns(kernels.NoCompilerWarning, match="no C"):
        step.main([*TINY, "--compile-model", "--out", str(tmp_path / "step.json")])
    report = json.loads((tmp_path / "step.json").read_text())
    assert report == json.loads(capsys.readouterr().out)
    results = report["results"]
    assert results["ratio_qat_eager"]["n"] == results["ratio_float_channels_last"]["n"] == 3
    assert results["same_format_qat_eager_channels_last"]["n"] == 3
    rate, time = results["float_images_per_second"], results["float_step_ms"]
    assert rate["median"] * time["median"] == pytest.approx(2 * 1e3)
    assert report["machine"]["threads"] >= 1
    assert not any("compiled" in name for name in results)


def test_the_kernel_is_left_as_it_was():
    before = kernels.current_kernel()
    step.main([*TINY, "--kernels", "eager", "--memory-format", "contiguous"])
    assert kernels.current_kernel() == before


def test_networks_take_turns_each_with_its_first_step_apart():
    steps, _ = step.make_steps(CASE, ["channels_last"], ["eager"])
    assert list(steps) == ["float", "float_channels_last", "qat_eager_channels_last"]
    assert all(seconds > 0 for seconds in step.first_seconds(steps).values())


def test_networks_and_images_have_their_format_and_equal_values():
    _, nets = step.make_steps(CASE, BOTH, ["eager"])
    usual, last = nets["qat_eager"], nets["qat_eager_channels_last"]
    for name, weight in last.named_parameters():
        assert torch.equal(weight, usual.get_parameter(name))
        if weight.dim() == 4 and min(weight.shape[1:]) > 1:
            assert weight.is_contiguous(memory_format=torch.channels_last)
            assert not weight.is_contiguous()
    assert not any(net is other for net in (last,) for other in (usual, nets["float"]))


def test_a_copy_in_a_format_leaves_the_network_alone():
    net = CASE.float_network()
    copied = in_format(net, "channels_last")
    assert next(net.parameters()).is_contiguous()
    assert not next(copied.parameters()).is_contiguous()


def test_a_step_trains_its_network():
    steps, nets = step.make_steps(CASE, BOTH, ["eager"])
    before = [weight.detach().clone() for weight in nets["qat_eager"].parameters()]
    steps["qat_eager"]()
    after = list(nets["qat_eager"].parameters())
    assert all(not torch.equal(a, b) for a, b in zip(before, after, strict=True) if a.dim() == 4)


def test_ratios_are_over_the_float_step_named():
    wall = {
        "float": [1.0, 2.0],
        "float_channels_last": [0.5, 1.0],
        "qat_eager": [2.0, 4.0],
        "qat_eager_channels_last": [1.0, 4.0],
    }
    cpu = {name: [2 * s for s in seconds] for name, seconds in wall.items()} | {"float": [1.0, 2.0]}
    results = step.figures(wall, cpu, batch=4)
    assert results["ratio_qat_eager"]["median"] == 2
    assert results["cpu_ratio_qat_eager"]["median"] == 4
    assert results["ratio_qat_eager_channels_last"]["median"] == 1.5
    assert results["same_format_qat_eager_channels_last"]["median"] == 3
    assert "same_format_qat_eager" not in results
    assert results["float_images_per_second"]["median"] == 3


def test_the_faster_format_is_taken_for_the_whole_step(monkeypatch):
    slow = {"qat_eager": [3.0], "qat_eager_channels_last": [1.0]}
    steps = dict.fromkeys(slow, lambda: None)
    times = {"contiguous": [3.0, 1.0, 3.0], "channels_last": [2.0, 9.0, 2.0]}
    monkeypatch.setattr(step, "interleaved_seconds", lambda *_, **__: times)
    assert step.fastest_format(steps, BOTH) == "channels_last"


def test_sizes_are_those_of_the_model_unless_said():
    args = step.parser().parse_args(["--model", "mobilenet_v2", "--size", "64"])
    case = step.case_of(args)
    assert (case.batch, case.size) == (32, 64)
    assert step.case_of(SimpleNamespace(**{**vars(args), "model": "resnet20"})).batch == 128


@pytest.mark.parametrize(
    ("method", "weight", "act"),
    [("pact", "lsq", "pact"), ("sawb", "sawb", "lsq"), ("tqt", "tqt", "tqt")],
)
def test_a_method_quantizes_the_slots_that_it_has(method, weight, act):
    scheme = scheme_of(method, 4)
    assert (scheme.weight.quantizer.name, scheme.act.quantizer.name) == (weight, act)
    assert scheme.weight.granularity == "channel"
    assert step.case_of(step.parser().parse_args(["--method", method])).method == method
