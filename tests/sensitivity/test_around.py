"""Scores of plans, against networks that are converted with them."""

import pytest
import torch

from qat.allocate.assign import apply_bits
from qat.convert.calibrate import calibrate
from qat.convert.swap import quantize
from qat.sensitivity.around import PlanScores, widths_needed
from qat.sensitivity.metrics import FISHER, OUTPUT_SQNR
from qat.sensitivity.single_quantizer import fit_quantizers
from qat.sensitivity.widths import slots_of

WIDTHS = [2, 4, 32]


def scores_of(case, **words):
    net, plan, batches = case
    fitted = fit_quantizers(net, plan, widths_needed(plan, WIDTHS), batches)
    return PlanScores(fitted, plan, OUTPUT_SQNR, batches, **words)


@torch.no_grad()
def sqnr_db(case, bits):
    net, plan, batches = case
    images = [batch for batch, _ in batches]
    qnet = quantize(net, apply_bits(plan, bits))
    calibrate(qnet, images)
    y = torch.cat([net(batch) for batch in images]).double()
    noise = y - torch.cat([qnet.eval()(batch) for batch in images]).double()
    return float(10 * torch.log10(y.square().sum() / noise.square().sum()))


def mixed_bits(plan):
    return {slot: (4, 2)[place % 2] for place, slot in enumerate(slots_of(plan))}


def test_the_score_of_a_plan_is_that_of_the_network_converted_with_it(case):
    scores, bits = scores_of(case), mixed_bits(case[1])
    assert scores.score(bits) == pytest.approx(sqnr_db(case, bits), rel=1e-5)
    assert scores.score({}) == pytest.approx(sqnr_db(case, {}), rel=1e-5)  # all as planned


def test_neighbours_differ_in_one_choice(case):
    scores, bits = scores_of(case), mixed_bits(case[1])
    first, second, *others = slots_of(case[1])
    choices = [((first, second), WIDTHS), *(((slot,), WIDTHS) for slot in others)]
    bits[second] = bits[first]
    rows = scores.neighbours(bits, choices)
    assert len(rows) == 2 * len(choices)
    for row in [rows[0], rows[1], rows[len(rows) // 2], rows[-1]]:
        slots = next(slots for slots, _ in choices if slots[0] == (row.layer, row.slot))
        expected = sqnr_db(case, {**bits, **dict.fromkeys(slots, row.bits)})
        assert row.score == pytest.approx(expected, rel=1e-5)
    assert scores.score(bits) == pytest.approx(sqnr_db(case, bits), rel=1e-5)  # all is as before


def test_reuse_gives_the_scores_of_whole_runs_bit_for_bit(case):
    bits = mixed_bits(case[1])
    choices = [((slot,), WIDTHS) for slot in bits]
    one, other = scores_of(case), scores_of(case, reuse=False)
    assert one.neighbours(bits, choices) == other.neighbours(bits, choices)
    assert one.score(bits) == other.score(bits)


def test_rows_of_an_earlier_run_are_not_measured_again(case):
    scores, bits, kept, again = scores_of(case), mixed_bits(case[1]), [], []
    choices = [((slot,), WIDTHS) for slot in bits]
    rows = scores.neighbours(bits, choices, keep=kept.append)
    assert scores.neighbours(bits, choices, done=kept[:3], keep=again.append) == rows
    assert len(again) == len(kept) - 3


def test_a_metric_without_outputs_is_refused(case):
    net, plan, batches = case
    fitted = fit_quantizers(net, plan, [4], batches)
    with pytest.raises(ValueError, match="metric fisher reads no outputs"):
        PlanScores(fitted, plan, FISHER, batches)
