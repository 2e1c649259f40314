import math

import pytest

from qat.analysis.diagnosis import MORE_IMAGES, findings, first_fall, layer_rows, more_bits
from qat.analysis.rows import TensorRow


def weight(name, db, bits=8, **rest):
    return TensorRow(name, "weight", db, bits=bits, granularity=rest.pop("by", "channel"), **rest)


def act(name, db, bits=8, clipped=0.0, used=0.9):
    return TensorRow(name, "act", db, bits=bits, clipped=clipped, used_codes=used)


def output(name, db, alone=None):
    return TensorRow(name, "output", db, alone_db=alone)


def network(*layers):
    """Rows of layers given as (name, SQNR of the output, SQNR alone)."""
    rows = []
    for name, db, alone in layers:
        rows += [weight(name, 40.0), act(name, 40.0), output(name, db, alone)]
    return rows


def test_the_usual_loss_of_a_layer_is_that_of_both_its_tensors():
    layer = layer_rows(network(("a", 35.0, 37.0)), {})[0]
    # Two equal noises of 40.57 dB: 3.01 dB less.
    assert layer.usual_db == pytest.approx(40.57 - 10 * math.log10(2))
    assert not layer.stands_out


def test_a_layer_without_a_quantizer_loses_nothing():
    layer = layer_rows([output("a", 30.0, 30.0)], {})[0]
    assert layer.usual_db == math.inf


def test_layers_stand_in_the_order_of_the_plan():
    rows = network(("b", 30.0, 37.0), ("a", 38.0, 38.0))
    assert [layer.name for layer in layer_rows(rows, {"a": {}, "b": {}})] == ["a", "b"]


def test_the_first_fall_is_the_first_layer_that_falls_by_its_own_doing():
    rows = network(("a", 37, 37), ("b", 36, 38), ("c", 12, 12), ("d", 5, 8), ("e", 4, 37))
    layer, before = first_fall(layer_rows(rows, {}))
    assert (layer.name, before) == ("c", 36)


def test_a_layer_that_inherits_its_errors_is_no_fall():
    rows = network(("a", 37, 37), ("b", 20, 38), ("c", 12, 37))
    assert first_fall(layer_rows(rows, {})) is None


def test_the_first_layer_can_be_the_one_that_falls():
    layer, before = first_fall(layer_rows(network(("a", 10, 10), ("b", 9, 37)), {}))
    assert (layer.name, before) == ("a", math.inf)


def one_finding(*rows):
    (finding,) = findings(layer_rows(rows, {}))
    return finding


def test_one_scale_for_channels_of_unlike_range_asks_for_scales_per_channel():
    row = weight("dw", 38.7, by="tensor", worst_channel_db=0.0, channel_range_ratio=90.0,
                 dead_channels=5)  # fmt: skip
    finding = one_finding(row, act("dw", 40.0), output("dw", 9.0, 9.0))
    assert finding.settings[0] == "scheme.weight.granularity=channel"
    assert finding.layers["dw"].startswith("38.7 dB as a whole, 0.0 dB in its worst channel")
    assert finding.layers["dw"].endswith(
        "90.0 times the range of the median one, 5 channels became zero"
    )


def test_scales_per_channel_are_not_advised_to_one_that_has_them():
    row = weight("dw", 12.0, worst_channel_db=0.0, channel_range_ratio=90.0, dead_channels=1)
    finding = one_finding(row, act("dw", 40.0), output("dw", 9.0, 9.0))
    assert "granularity" not in " ".join(finding.settings)
    assert more_bits("dw", "weight", 8) in finding.settings


def test_clipped_inputs_ask_for_the_whole_range():
    finding = one_finding(weight("c", 40.0), act("c", 10.0, clipped=0.08), output("c", 10.0, 10.0))
    assert finding.settings[0] == "observer@scheme.act=minmax"
    assert "8.0 %" in finding.layers["c"]


def test_unused_codes_ask_for_a_narrower_range():
    finding = one_finding(weight("c", 40.0), act("c", 15.0, used=0.05), output("c", 10.0, 15.0))
    assert finding.settings[0] == "observer@scheme.act=mse"
    assert "5 %" in finding.layers["c"]


def test_an_input_that_is_poor_for_no_visible_reason_asks_for_bits():
    finding = one_finding(weight("c", 40.0), act("c", 15.0), output("c", 10.0, 15.0))
    assert more_bits("c", "act", 8) in finding.settings


def test_a_layer_whose_tensors_look_well_is_told_as_a_whole():
    finding = one_finding(weight("c", 40.0), act("c", 40.0), output("c", 10.0, 15.0))
    assert "15.0 dB, where 37.6 dB are usual" in finding.layers["c"]


def test_the_worst_layer_comes_first():
    rows = network(("a", 20, 20), ("b", 5, 5))
    (finding,) = findings(layer_rows(rows, {}))
    assert list(finding.layers) == ["b", "a"]


def test_a_gradual_loss_is_told_as_one():
    finding = findings(layer_rows(network(("a", 37, 37), ("b", 33, 37)), {}))[0]
    assert not finding.layers
    assert "from 37.0 dB to 33.0 dB over 2 layers" in finding.kind
    assert "mode=qat" in finding.settings


def test_a_learned_range_may_clip():
    learned = {"c": {"act": {"quantizer": {"name": "lsq"}, "observer": {"name": "default"}}}}
    rows = [weight("c", 40.0), act("c", 38.0, clipped=0.08), output("c", 10.0, 10.0)]
    (finding,) = findings(layer_rows(rows, learned))
    assert "clipped" not in finding.kind


def test_the_whole_range_is_not_advised_to_one_that_has_it():
    known = {"c": {"act": {"quantizer": {"name": "minmax"}, "observer": {"name": "minmax"}}}}
    rows = [weight("c", 40.0), act("c", 10.0, clipped=0.08), output("c", 10.0, 10.0)]
    (finding,) = findings(layer_rows(rows, known))
    assert finding.settings == (MORE_IMAGES,)


def test_what_was_trained_is_not_advised_to_train():
    rows = network(("a", 37, 37), ("b", 33, 37))
    assert findings(layer_rows(rows, {}), trained=True)[0].settings == ("mode=mixed",)


def test_scales_per_channel_come_first_where_a_gradual_loss_has_one_scale():
    rows = [weight("a", 40.0, by="tensor"), output("a", 37, 37), *network(("b", 33, 37))]
    assert findings(layer_rows(rows, {}))[0].settings[0] == "scheme.weight.granularity=channel"


def test_a_layer_of_eight_bits_is_left_float_and_one_of_four_gets_eight():
    assert more_bits("c", "act", 8) == "scheme.rules='[{match: c, keep_float: true}]'"
    assert more_bits("c", "act", 4) == "scheme.rules='[{match: c, act: {bits: 8}}]'"
