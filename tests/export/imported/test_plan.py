"""Plans with held ranges: from matched tensors, in both placements."""

import pytest
from torch import nn

from qat.base.errors import InputError
from qat.export.imported.aimet import read_aimet
from qat.export.imported.onnx_graph import read_graph
from qat.export.imported.plan import plan_from
from tests.export.imported_files import (
    images,
    list_encodings,
    listed,
    onnx_term_encodings,
    per_tensor,
    small,
    small_qdq,
    torch_encodings,
)


def imported(data, placement="academic", net=None):
    contents = read_aimet(data) if isinstance(data, dict) else read_graph(data.graph)
    return plan_from(contents, small() if net is None else net, images(), placement, {})


def words(held, slot):
    return {
        name: (getattr(layer, slot).bits, getattr(layer, slot).granularity)
        for name, layer in held.plan.layers.items()
    }


def test_academic_has_weights_and_inputs_of_layers():
    held = imported(torch_encodings())
    assert words(held, "weight") == {
        "stem": (8, "channel"),
        "body": (4, "tensor"),
        "head": (8, "channel"),
    }
    # The file has the input of stem and head; body reads what the ReLU writes.
    assert {place: held.ranges[place].scale for place in held.ranges if place.endswith("act")} == {
        "stem.act": (0.03,),
        "body.act": (0.02,),
        "head.act": (0.05,),
    }
    assert held.ranges["stem.act"].zero_point == (120,)
    assert held.unused == (
        "head.bias (a bias)",
        "body (the input of no layer)",
        "head (the input of no layer)",
    )
    assert held.open == ()


def test_integer_has_every_tensor_and_lists_what_the_file_lacks():
    held = imported(torch_encodings(), "integer")
    assert set(held.ranges) == {
        *("stem.weight", "body.weight", "head.weight"),
        *("input.tensor", "stem.tensor", "body.tensor", "mean.tensor", "head.tensor"),
    }
    assert held.open == ("add.tensor",)
    # The input of head in the file is the average in the network.
    assert held.ranges["mean.tensor"].scale == (0.05,)
    assert held.plan.layers["head"].act == held.plan.tensors["mean"].spec
    assert held.plan.layers["body"].act.symmetric is False


def test_a_whole_graph_leaves_nothing_open():
    held = imported(small_qdq(), "integer")
    assert (held.open, held.unused, len(held.ranges)) == ((), (), 9)
    assert held.plan.tensors["head"].spec.signed  # uint8 with zero point 128
    assert held.ranges["head.tensor"].zero_point == (0,)


def test_a_layer_that_the_file_does_not_quantize_stays_float():
    data = list_encodings()
    data["param_encodings"].pop(0)
    data["activation_encodings"].pop(0)
    held = imported(data)
    assert list(held.plan.layers) == ["body", "head"]
    assert ("stem", "Conv2d") in held.plan.left_float


def test_a_half_float_has_a_format_and_no_range():
    held = imported(onnx_term_encodings())
    assert held.plan.layers["head"].weight.format == "fp16"
    assert "head.weight" not in held.ranges


def test_groups_keep_their_size():
    entry = listed("head.weight", 4, [0.5] * 10, [-8] * 10, symmetric=True, kind="PER_BLOCK")
    data = list_encodings() | {"param_encodings": [entry | {"block_size": 2}]}
    held = imported(data)
    assert held.plan.layers["head"].weight.group_size == 2
    assert len(held.ranges["head.weight"].scale) == 10
    with pytest.raises(InputError, match=r"head has groups, and placement=integer"):
        imported(data, "integer")
    entry["block_size"] = 3
    with pytest.raises(InputError, match=r"blocks of 3 input channels, which do not divide 4"):
        imported(data | {"param_encodings": [entry]})


def test_another_number_of_channels_is_refused():
    data = torch_encodings()
    data["param_encodings"]["stem.weight"].pop()
    with pytest.raises(
        InputError, match=r"stem.weight has 3 scales in the file, and .* 4 channels"
    ):
        imported(data)
    wider = small()
    wider.stem = nn.Conv2d(3, 6, 3, padding=1)
    wider.body = nn.Conv2d(6, 6, 3, padding=1)
    wider.head = nn.Linear(6, 5)
    with pytest.raises(InputError, match=r"'stem' has 4 output channels in the file and 6 in"):
        imported(small_qdq(), net=wider)


def test_widths_that_an_integer_network_lacks_are_refused():
    data = torch_encodings()
    data["activation_encodings"]["relu"]["output"]["0"] = per_tensor(0.5, 0, bits=16)
    assert imported(data).plan.layers["body"].act.bits == 16
    with pytest.raises(InputError, match=r"stem has 16 bits, .* scheme.placement=academic"):
        imported(data, "integer")


def test_a_file_without_any_tensor_of_the_network_is_refused():
    data = {"version": "1.0.0", "param_encodings": [], "activation_encodings": []}
    with pytest.raises(InputError, match=r"no tensor of the file belongs to a layer"):
        imported(data)
