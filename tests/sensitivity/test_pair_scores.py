"""Scores of pairs, against networks that are converted with two quantized tensors."""

import pytest
import torch

from qat.convert.calibrate import calibrate
from qat.convert.rules import make_plan
from qat.convert.swap import quantize
from qat.core.scheme import Scheme, TensorSpec
from qat.layers.walk import SLOTS, twins
from qat.sensitivity.measure import sensitivities
from qat.sensitivity.metrics import FISHER, LOSS_INCREASE, OUTPUT_KL
from qat.sensitivity.pair_scores import pair_sensitivities, pair_tasks
from qat.sensitivity.widths import FLOAT_BITS, at_width, slots_of


def measured(case, **words):
    net, plan, batches = case
    slots = words.pop("slots", [s for s in slots_of(plan) if s[1] == "weight"])
    return pair_sensitivities(net, plan, batches, [OUTPUT_KL], [2, 4], slots, **words)


@torch.no_grad()
def converted(case, wanted):
    """Logits of the network converted at each width, with all other quantizers taken out."""
    net, plan, batches = case
    images = [batch for batch, _ in batches]
    by_width = {}
    for bits in wanted.values():
        by_width[bits] = quantize(net, at_width(plan, bits))
        calibrate(by_width[bits], images)
    host = quantize(net, at_width(plan, 8)).eval()
    sources = {bits: dict(twins(qnet)) for bits, qnet in by_width.items()}
    for name, twin in twins(host):
        for slot, attribute in SLOTS.items():
            bits = wanted.get((name, slot))
            source = sources[bits][name] if bits else None
            setattr(twin, attribute, getattr(source, attribute) if source else torch.nn.Identity())
    return torch.cat([host.eval()(batch) for batch in images])


def test_equals_a_network_with_two_quantized_tensors(case):
    net, plan, batches = case
    table = measured(case, slots=slots_of(plan))
    reference = torch.cat([net(batch) for batch, _ in batches]).detach().double()
    before = reference.log_softmax(1)
    for row in table.rows[:: len(table.rows) // 7]:
        first, bits, second, other = row.pair
        after = converted(case, {first: bits, second: other}).double().log_softmax(1)
        kl = (before.exp() * (before - after)).sum(1).mean()
        assert row.scores["output_kl"] == pytest.approx(float(kl), rel=1e-4, abs=1e-7)


def test_reuse_gives_the_scores_of_whole_runs_bit_for_bit(case):
    slots = slots_of(case[1])
    assert measured(case, slots=slots).rows == measured(case, slots=slots, reuse=False).rows


def test_every_pair_is_measured_and_said_before(case):
    net, plan, batches = case
    said, kept = [], []
    table = measured(case, announce=lambda n: said.append((n, len(kept))), keep=kept.append)
    weights = len([slot for slot in slots_of(plan) if slot[1] == "weight"])
    assert said == [(weights * (weights - 1) // 2 * 4, 0)]
    assert len(table.rows) == len({row.pair for row in kept}) == len(kept) == said[0][0]
    assert table.interactions(
        sensitivities(net, plan, batches, ["output_kl"], [2, 4])["output_kl"]
    ).keys() == {row.pair for row in kept}


def test_metrics_that_are_measured_together_have_the_scores_of_each_alone(case):
    net, plan, batches = case
    weights = [slot for slot in slots_of(plan) if slot[1] == "weight"]
    both = pair_sensitivities(net, plan, batches, [LOSS_INCREASE, OUTPUT_KL], [4], weights)
    for metric in (LOSS_INCREASE, OUTPUT_KL):
        alone = pair_sensitivities(net, plan, batches, [metric], [4], weights)
        scores = [{metric.name: row.scores[metric.name]} for row in both.rows]
        assert scores == [row.scores for row in alone.rows]


def test_rows_of_an_earlier_run_are_not_measured_again(case):
    kept, said = [], []
    whole = measured(case, keep=kept.append)
    part = kept[: len(kept) // 2]
    again = measured(case, done=part, announce=said.append)
    assert said == [len(kept) - len(part)]
    assert again.rows == whole.rows
    assert measured(case, done=kept, announce=said.append).rows == whole.rows
    assert said[-1] == 0


def test_near_layers_only_and_float_is_no_pair(case):
    slots = [("a", "weight"), ("a", "act"), ("b", "weight"), ("c", "weight")]
    near = {(one[0], other[0]) for (one, _), (other, _) in pair_tasks(slots, [2], reach=1)}
    assert near == {("a", "a"), ("a", "b"), ("b", "c")}
    net, plan, batches = case
    widths = [4, FLOAT_BITS]
    weights = [slot for slot in slots_of(plan) if slot[1] == "weight"][:2]
    table = pair_sensitivities(net, plan, batches, [LOSS_INCREASE], widths, weights)
    assert [(row.bits, row.other_bits) for row in table.rows] == [(4, 4)]


def test_a_shared_tensor_is_paired_once_in_placement_integer(integer_model, tiny_images):
    labels = integer_model(tiny_images).argmax(1)
    batches = [(tiny_images, labels)]
    scheme = Scheme(TensorSpec(), TensorSpec(), first_last="same", placement="integer")
    plan = make_plan(integer_model, scheme, tiny_images)
    slots = slots_of(plan)
    table = pair_sensitivities(integer_model, plan, batches, [OUTPUT_KL], [4], slots)
    whole = pair_sensitivities(integer_model, plan, batches, [OUTPUT_KL], [4], slots, reuse=False)
    assert table.rows == whole.rows
    assert len(table.rows) > len(slots)


def test_a_metric_without_outputs_is_refused(case):
    net, plan, batches = case
    with pytest.raises(ValueError, match="metric fisher reads no outputs"):
        pair_sensitivities(net, plan, batches, [FISHER], [4], slots_of(plan))
