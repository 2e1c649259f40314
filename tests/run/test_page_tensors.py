"""The tensors that a run's page shows."""

import torch

from qat.analysis.layers import tensor_rows
from qat.run.finish import Outcome
from qat.run.page_tensors import page_tensors


def outcome_of(state):
    rows = tensor_rows(state.net, state.qnet, [state.prepared.images.example()])
    return Outcome(state.record, state.net, state.qnet, rows)


def test_weights_before_and_after_and_counted_codes(make_quantized_state):
    state = make_quantized_state(tracking__histograms=True)
    tensors = page_tensors(state.prepared, outcome_of(state))
    assert list(tensors.weights) == ["first", "second", "head"]
    before, after = tensors.weights["second"]
    assert torch.equal(before, state.net.second.weight)
    assert len(after.unique()) <= 2**4
    assert (after - before).abs().max() <= state.qnet.second.weight_quantizer.qparams().scale
    # The counts of the twelve test images: one code for each of 4 x 4 x 9 weights.
    assert tensors.codes["second"]["weights"].counts.sum() == 144
    assert tensors.codes["first"]["inputs"].counts.sum() == 12 * 3 * 8 * 8


def test_folded_weights_are_shown_for_an_integer_network(make_quantized_state):
    state = make_quantized_state(tracking__histograms=True, scheme__placement="integer")
    before, _ = page_tensors(state.prepared, outcome_of(state)).weights["first"]
    torch.testing.assert_close(before, state.net.first.weight / (0.25 + 1e-5) ** 0.5)


def test_without_histograms_only_rows_are_shown(make_quantized_state):
    state = make_quantized_state()
    tensors = page_tensors(state.prepared, outcome_of(state))
    assert [row.name for row in tensors.rows] == ["first", "second", "head"]
    assert not tensors.weights
    assert not tensors.codes
