"""Scores by the outputs: by hand, and as a plan of that tensor alone gives them."""

import math
from dataclasses import replace

import pytest
import torch
from torch.nn.modules.module import register_module_forward_pre_hook

from qat.convert.calibrate import calibrate
from qat.convert.rules import make_plan
from qat.convert.swap import quantize
from qat.core.scheme import Method, TensorSpec
from qat.layers.twin import QuantTwin
from qat.models.build import build_model
from qat.sensitivity.metrics import ACCURACY_DROP, OUTPUT_SQNR, WEIGHT_MSE
from qat.sensitivity.output_scores import add_output_scores
from qat.sensitivity.parts import in_parts
from qat.sensitivity.registry import METRICS
from qat.sensitivity.scores import MetricScores
from qat.sensitivity.single_quantizer import fit_quantizers
from qat.sensitivity.widths import slots_of, with_bits

OF_OUTPUTS = [metric for metric in METRICS.values() if metric.score]


def tables_of(net, plan, batches, metrics, widths, *, layers=None, **options):
    """Metric → table, with ranges from the same images."""
    slots = [slot for slot in slots_of(plan) if slot[0] in (layers or plan.layers)]
    scores = [MetricScores(metric, slots, widths) for metric in metrics]
    fitted = fit_quantizers(net, plan, widths, batches)
    add_output_scores(fitted, scores, batches, **options)
    return [each.table("") for each in scores]


def test_accuracy_drop_by_hand(toy, every_layer):
    net, images, labels = toy
    plan = make_plan(net, every_layer, images)
    [table] = tables_of(net, plan, [(images, labels)], [ACCURACY_DROP], [2, 3, 4, 16, 32])
    drops = table.scores
    # With c for 0.4, class 0 if x1 > (1 - c) x2. At 2 bits c = 0, which moves images 0 and 3; at 3
    # bits c = 1/3, which moves image 3 (0.45 < 2/3 x 0.7); at 4 bits c = 3/7, which moves none.
    assert [drops["0", "weight", bits] for bits in (2, 3, 4, 16, 32)] == [0.5, 0.25, 0, 0, 0]
    # The images reach 3: codes 0..3 at 2 bits are whole numbers, and (0.45, 0.7) becomes (0, 1).
    assert drops["0", "act", 2] == 0.25
    assert drops["0", "act", 32] == 0
    assert [drops["1", "weight", bits] for bits in (2, 3, 4)] == [0, 0, 0]


@pytest.mark.slow
@pytest.mark.parametrize("placement", ["academic", "integer"])
def test_a_row_is_what_a_plan_of_that_tensor_alone_gives(tiny_images, every_layer, placement):
    net = build_model("builtin", "resnet20", classes=10, in_channels=3, image_size=8).eval()
    labels = torch.arange(len(tiny_images)) % 10
    plan = make_plan(net, replace(every_layer, placement=placement), tiny_images)
    batches, layers = [(tiny_images, labels)], ["layer1.0.conv2", "linear"]
    [table] = tables_of(net, plan, batches, [OUTPUT_SQNR], [3], layers=layers)
    assert len(table.rows) == 2 * 2
    for row in table.rows:
        alone = only(plan, row)
        calibrate(alone, [tiny_images])
        for module in alone.modules():
            if getattr(module, "is_other", False):
                module.set_phase("off")
        with torch.no_grad():
            expected = OUTPUT_SQNR.score(net(tiny_images), alone(tiny_images), labels)
        # batch norm is folded in placement integer: float rounding differs
        assert row.score == pytest.approx(expected, rel=0 if placement == "academic" else 2e-3)


def only(plan, row):
    """A network of the plan in which all quantizers but one are marked."""
    specs = {
        name: replace(
            layer,
            weight=with_bits(layer.weight, row.bits),
            act=with_bits(layer.act, row.bits),
        )
        for name, layer in plan.layers.items()
    }
    tensors = {n: replace(t, spec=with_bits(t.spec, row.bits)) for n, t in plan.tensors.items()}
    net = build_model("builtin", "resnet20", classes=10, in_channels=3, image_size=8).eval()
    qnet = quantize(net, replace(plan, layers=specs, tensors=tensors))
    twin = qnet.get_submodule(row.layer)
    own = twin.weight_quantizer if row.slot == "weight" else twin.input_quantizer
    if row.slot == "act" and twin.source:
        own = twin.source[0].quantizer
    for module in qnet.modules():
        if hasattr(module, "set_phase") and module is not own:
            module.is_other = True
    return qnet


def test_both_ways_give_the_same_scores(case):
    ways = [tables_of(*case, OF_OUTPUTS, [2, 4, 16, 32], reuse=reuse) for reuse in (True, False)]
    assert ways[0] == ways[1]
    assert [len(table.rows) for table in ways[0]] == [4 * 2 * 4] * len(OF_OUTPUTS)


def test_only_metrics_of_outputs_are_scored(case):
    assert tables_of(*case, [WEIGHT_MSE], [2])[0].rows == ()


def test_a_network_that_diverges_is_named(case):
    net, plan, batches = case
    fitted = fit_quantizers(net, plan, [4], batches)
    images = torch.full_like(batches[0][0], math.nan)
    with pytest.raises(ValueError, match="the float network gives logits that hold NaN"):
        add_output_scores(
            fitted,
            [MetricScores(ACCURACY_DROP, slots_of(plan), [4])],
            [(images, batches[0][1])],
        )


def test_a_tensor_that_makes_it_diverge_is_named(toy, every_layer):
    net, images, labels = toy
    plan = make_plan(net, every_layer, images)
    with torch.no_grad():
        net[1].weight.mul_(1e38)  # 3.4 x 1e38 is finite, but 0.4 becomes 3/7: 3.43 x 1e38 is not
    with pytest.raises(ValueError, match=r"with 0 .weight. in 4 bits gives logits that hold NaN"):
        tables_of(net, plan, [(images, labels)], [ACCURACY_DROP], [4], layers=["0"])


@pytest.mark.parametrize("method", ["minmax", "dynamic"])
def test_batches_in_parts_give_the_same_scores(tiny_model, every_layer, method, monkeypatch):
    images = torch.randn(40, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    batches = [(images, torch.arange(40) % 4)]
    scheme = replace(every_layer, act=TensorSpec(quantizer=Method(method)))
    plan = make_plan(tiny_model, scheme, images[:8])
    divided = []

    def in_small_parts(*arguments):
        divided.extend(parts := in_parts(*arguments, images=20))
        return parts

    monkeypatch.setattr("qat.sensitivity.output_scores.in_parts", in_small_parts)
    reused = tables_of(tiny_model, plan, batches, OF_OUTPUTS, [2, 4])
    whole = tables_of(tiny_model, plan, batches, OF_OUTPUTS, [2, 4], reuse=False)
    assert reused == whole
    # The range of a dynamic quantizer is that of the whole batch.
    assert [len(part) for part in divided] == ([20, 20] if method == "minmax" else [])


def test_metrics_share_the_float_pass_and_all_runs(case):
    def calls(metrics):
        shapes = []

        def note(module, inputs):
            if isinstance(module, QuantTwin):
                shapes.append(inputs[0].shape)

        net, plan, batches = case
        handle = register_module_forward_pre_hook(note)
        try:
            tables_of(net, plan, batches, metrics, [2, 4])
        finally:
            handle.remove()
        return len(shapes)

    assert calls(OF_OUTPUTS) == calls(OF_OUTPUTS[:1])
