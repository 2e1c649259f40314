import pytest
import torch

from qat.core.layout import Layout


@pytest.mark.parametrize(
    ("layout", "shape", "slices"),
    [
        pytest.param(Layout(), (1,), 1, id="tensor"),
        pytest.param(Layout.of_weight("channel", (8, 6, 3, 3)), (8,), 8, id="channel"),
        pytest.param(Layout.of_weight("group", (8, 6, 3, 3), 3), (8, 2), 16, id="group"),
        pytest.param(Layout.of_weight("group", (8, 3, 3, 3), 16), (8, 1), 8, id="few inputs"),
        pytest.param(Layout.of_activation("channel", 5), (5,), 5, id="activation"),
    ],
)
def test_shape_of_the_scales(layout, shape, slices):
    assert (layout.shape, layout.slices) == (shape, slices)


@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize(
    "layout",
    [
        Layout(),
        Layout.of_weight("channel", (4, 6, 3, 3)),
        Layout.of_weight("group", (4, 6, 3, 3), 2),
        Layout.of_activation("channel", 6),
    ],
    ids=["tensor", "channel", "group", "activation"],
)
def test_cutting_into_slices_and_back_changes_nothing(layout, channels_last):
    x = torch.arange(4 * 6 * 9).reshape(4, 6, 3, 3)
    if channels_last:
        x = x.contiguous(memory_format=torch.channels_last)
    rows = layout.sliced(x)
    assert rows.shape == (layout.slices, x.numel() // layout.slices)
    assert torch.equal(layout.unsliced(rows, x), x)


def test_a_group_holds_neighbouring_input_channels():
    x = torch.arange(2 * 4).reshape(2, 4)
    rows = Layout.of_weight("group", (2, 4), 2).sliced(x)
    assert rows.tolist() == [[0, 1], [2, 3], [4, 5], [6, 7]]


def test_a_group_that_does_not_divide_is_refused_with_the_shape():
    with pytest.raises(ValueError, match=r"group_size=4 does not divide the 6 input channels"):
        Layout.of_weight("group", (8, 6, 3, 3), 4)


def test_an_activation_has_no_groups():
    with pytest.raises(ValueError, match="tensor or channel, got group"):
        Layout.of_activation("group", 8)


@pytest.mark.parametrize("granularity", ["tensor", "channel", "group"])
def test_a_layout_knows_whether_it_is_of_a_weight(granularity):
    layout = Layout.of_weight(granularity, (4, 6, 3, 3), 3 if granularity == "group" else None)
    assert layout.of_weights
    assert layout == Layout(layout.axis, layout.channels, layout.groups)
    if granularity != "group":
        assert not Layout.of_activation(granularity, 6).of_weights
