"""The metrics of a run against sums by hand."""

import math

import pytest
import torch
from torch import nn

from qat.core.plan import Plan
from qat.models.checkpoint import save_checkpoint
from qat.run import results
from qat.run.results import absence_reasons, accuracies, comparison, costs, sizes, times

LABELS = torch.tensor([0, 1, 1, 2])
FLOAT = torch.tensor([[2.0, 0, 0], [0, 2.0, 0], [0, 2.0, 0], [2.0, 0, 0]])  # the last one is wrong
QUANTIZED = torch.tensor([[2.0, 0, 0], [2.0, 0, 0], [0, 2.0, 0], [2.0, 0, 0]])  # the second, too


def test_accuracy_and_cross_entropy_by_hand():
    metrics = accuracies(FLOAT, LABELS, "float_")
    right, wrong = (math.log(math.exp(2) + 2) - logit for logit in (2, 0))
    assert metrics == {"float_top1": 0.75, "float_loss": pytest.approx((3 * right + wrong) / 4)}
    assert accuracies(FLOAT, torch.full((4,), -1)) == {}


def test_two_networks_are_compared():
    metrics = comparison(FLOAT, QUANTIZED, LABELS)
    assert (metrics["float_top1"], metrics["top1"]) == (0.75, 0.5)
    assert metrics["top1_drop"] == 0.25
    assert metrics["top1_drop_relative"] == pytest.approx(1 / 3)
    assert metrics["float_agreement"] == 0.75
    # Squares: 4 of each image; the second image's error is (2, -2, 0).
    assert metrics["logit_sqnr_db"] == pytest.approx(10 * math.log10(16 / 8))


def test_equal_logits_have_no_ratio_and_a_float_accuracy_of_zero_no_relative_drop():
    wrong = comparison(FLOAT, FLOAT, torch.tensor([1, 0, 0, 1]))
    assert wrong["float_top1"] == wrong["top1_drop"] == 0
    assert "top1_drop_relative" not in wrong
    assert "logit_sqnr_db" not in wrong
    assert comparison(FLOAT, QUANTIZED, torch.full((4,), -1)).keys() == {
        "float_agreement",
        "logit_sqnr_db",
    }


def test_costs_of_the_small_network(make_quantized_state):
    state = make_quantized_state(scheme__first_last="same")
    example = state.prepared.images.example()
    # 8 x 8 pixels of 4 x 3 x 9 products, 4 x 4 pixels of 4 x 4 x 9, and 4 x 3.
    macs, weights = 64 * 108 + 16 * 144 + 12, 108 + 144 + 12
    metrics, absent = costs(state.net, state.plan, example)
    assert absent == {}
    assert (metrics["macs"], metrics["bops"]) == (macs, macs * 4 * 4)
    assert (metrics["weight_bytes"], metrics["average_weight_bits"]) == (weights / 2, 4)
    floating, _ = costs(state.net, Plan({}), example)
    assert floating["bops"] == macs * 32 * 32


def test_a_kernel_without_known_products_has_no_costs():
    class Pair(nn.Module):
        def __init__(self):
            super().__init__()
            self.product = nn.Bilinear(2, 2, 3)

        def forward(self, x):
            return self.product(x, x)

    metrics, absent = costs(Pair(), None, torch.zeros(1, 2))
    assert metrics == {}
    assert absent.keys() == {"macs", "bops", "weight_bytes", "average_weight_bits"}
    assert all("_trilinear" in reason for reason in absent.values())


def test_sizes_are_those_of_the_files(make_quantized_state, tmp_path):
    state = make_quantized_state(scheme__first_last="same")
    images = list(state.prepared.images.first_test_images(4))
    metrics = sizes(state.qnet, state.net, tmp_path / "packed.safetensors", images)
    whole = tmp_path / "float.safetensors"
    save_checkpoint(state.net, whole, ((0.0,) * 3, (1.0,) * 3))
    assert metrics["packed_bytes"] == (tmp_path / "packed.safetensors").stat().st_size
    assert metrics["compression"] == metrics["float_bytes"] / metrics["packed_bytes"]
    parameters = sum(tensor.numel() for tensor in state.net.parameters())
    assert 4 * parameters < metrics["float_bytes"] <= whole.stat().st_size


def test_a_file_that_gives_another_output_is_refused(make_quantized_state, tmp_path, monkeypatch):
    state = make_quantized_state()
    images = list(state.prepared.images.first_test_images(4))
    other = make_quantized_state(float__seed=1).qnet
    monkeypatch.setattr(results, "load_packed", lambda path, net: other)
    with pytest.raises(ValueError, match="does not give the same outputs when read back"):
        sizes(state.qnet, state.net, tmp_path / "packed.safetensors", images)


def test_times_are_named_by_their_batch_size(make_config, make_prepared):
    prepared, nets = make_prepared(), {"a_ms": nn.Flatten(), "b_ms": nn.ReLU()}
    assert times(prepared.timing, prepared.data, nets).keys() == {"a_ms", "b_ms"}
    settings = make_config(measure__batch_size=4).measure
    timed = times(settings, prepared.data, nets)
    assert timed.keys() == {"a_ms_b4", "b_ms_b4"}
    assert min(timed.values()) > 0


@pytest.mark.parametrize(
    ("mode", "classes", "labelled", "name", "reason"),
    [
        ("static", 3, True, "top5", "the data has 3 classes"),
        ("static", 10, True, "top5", None),
        ("static", 10, False, "top1_drop", "the test images have no labels"),
        ("float", 10, True, "packed_bytes", "mode=float quantizes nothing"),
        ("static", 10, True, "logit_sqnr_db", "the logits are equal: the ratio is infinite"),
        ("static", 10, True, "top1_drop_relative", "the float accuracy is 0"),
    ],
)
def test_an_absent_metric_has_a_reason(mode, classes, labelled, name, reason):
    assert absence_reasons({}, classes, mode, labelled).get(name) == reason
    assert name not in absence_reasons({name: 1.0}, classes, mode, labelled)
