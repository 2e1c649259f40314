import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from qat.core.affine import decode, encode, fake_quantize, quantize_dequantize
from qat.core.grid import IntGrid
from qat.core.layout import Layout
from qat.core.qparams import QParams, qparams_from_range
from tests.reference import affine as numpy_affine
from tests.strategies import grids, ranges, values


def qparams(scale, zero_point, grid, layout=None):
    layout = layout or Layout()
    scale = torch.as_tensor(scale, dtype=torch.float32).reshape(layout.shape)
    zero_point = torch.as_tensor(zero_point, dtype=torch.float32).reshape(layout.shape)
    return QParams(scale, zero_point, grid, layout)


def of_range(bounds, grid, symmetric):
    low, high = (torch.tensor([bound]) for bound in bounds)
    return qparams(*qparams_from_range(low, high, grid, symmetric=symmetric), grid)


@given(values(), ranges(), grids(), st.booleans())
def test_codes_and_values_equal_numpy(x, bounds, grid, symmetric):
    q = of_range(bounds, grid, symmetric)
    scale, zero_point = np.float32(q.scale.item()), np.float32(q.zero_point.item())
    expected = numpy_affine.encode(x, scale, zero_point, grid.qmin, grid.qmax)
    codes = encode(torch.from_numpy(x), q)
    assert codes.dtype == torch.int32
    assert codes.tolist() == expected.tolist()
    found = decode(codes, q).numpy()
    assert np.array_equal(found, numpy_affine.decode(expected, scale, np.int64(zero_point)))


@given(values(), ranges(), grids(), st.booleans())
def test_fake_quantization_is_decode_of_encode_bit_for_bit(x, bounds, grid, symmetric):
    q, x = of_range(bounds, grid, symmetric), torch.from_numpy(x)
    assert torch.equal(fake_quantize(x, q), decode(encode(x, q), q))


@given(ranges(), grids(8), st.booleans())
def test_every_code_comes_back_as_itself(bounds, grid, symmetric):
    q = of_range(bounds, grid, symmetric)
    codes = torch.arange(grid.qmin, grid.qmax + 1, dtype=torch.int32)
    assert torch.equal(encode(decode(codes, q), q), codes)


@given(values(), ranges(), grids(12))
def test_inside_the_range_the_error_is_half_a_step_at_most(x, bounds, grid):
    q, x = of_range(bounds, grid, symmetric=False), torch.from_numpy(x)
    low = q.scale * (grid.qmin - q.zero_point)
    high = q.scale * (grid.qmax - q.zero_point)
    inside = x.clamp(low.item(), high.item())
    error = (fake_quantize(inside, q) - inside).abs()
    assert bool((error <= 0.5 * q.scale * (1 + 1e-3)).all())


@given(values(), ranges(), grids(12))
def test_order_is_kept_and_zero_stays_zero(x, bounds, grid):
    q = of_range(bounds, grid, symmetric=False)
    rounded = fake_quantize(torch.from_numpy(x).sort().values, q)
    assert bool((rounded.diff() >= 0).all())
    assert fake_quantize(torch.zeros(1), q).item() == 0


def test_ties_go_to_the_even_code():
    q = qparams(1.0, 0.0, IntGrid(4, signed=True))
    ties = torch.tensor([0.5, 1.5, 2.5, -0.5, -1.5])
    assert encode(ties, q).tolist() == [0, 2, 2, 0, -2]
    assert fake_quantize(ties, q).tolist() == [0, 2, 2, 0, -2]


def test_infinities_saturate_and_nan_is_refused():
    q = qparams(1.0, 0.0, IntGrid(4, signed=True))
    assert encode(torch.tensor([torch.inf, -torch.inf]), q).tolist() == [7, -8]
    with pytest.raises(ValueError, match="NaN has no code"):
        encode(torch.tensor([0.0, torch.nan]), q)


def test_a_nan_is_not_hidden_by_fake_quantization():
    q = qparams(1.0, 0.0, IntGrid(4, signed=True))
    assert bool(fake_quantize(torch.tensor([torch.nan]), q).isnan())


@pytest.mark.parametrize(
    ("value", "gradient"),
    [(0.0, 1), (3.4, 1), (7.0, 1), (7.3, 0), (9.0, 0), (-8.0, 1), (-8.2, 0), (-100.0, 0)],
)
def test_gradient_passes_inside_the_range_and_stops_outside(value, gradient):
    x = torch.tensor([value], requires_grad=True)
    (5 * fake_quantize(x, qparams(1.0, 0.0, IntGrid(4, signed=True)))).sum().backward()
    assert x.grad.item() == 5 * gradient


@pytest.mark.parametrize(("value", "gradient"), [(-2.0, 1), (-2.1, 0), (1.0, 1), (1.1, 0)])
def test_the_zero_point_moves_the_range_of_the_gradient(value, gradient):
    """Codes 0..3 at zero point 2 and scale 1 are the values -2..1."""
    x = torch.tensor([value], requires_grad=True)
    fake_quantize(x, qparams(1.0, 2.0, IntGrid(2, signed=False))).backward()
    assert x.grad.item() == gradient


def test_the_ends_of_an_observed_range_are_inside():
    """The division may land a hair outside the last code: the largest weight still learns."""
    grid = IntGrid(4, signed=True, narrow=True)
    for seed in range(50):
        x = torch.randn(100, generator=torch.Generator().manual_seed(seed)).requires_grad_()
        largest = x.detach().abs().max()
        fake_quantize(x, of_range((-largest.item(), largest.item()), grid, True)).sum().backward()
        assert bool((x.grad == 1).all())


@pytest.mark.parametrize(
    ("layout", "shape"),
    [
        pytest.param(Layout.of_weight("channel", (4, 6, 3, 3)), (4, 6, 3, 3), id="channel"),
        pytest.param(Layout.of_weight("group", (4, 6, 3, 3), 2), (4, 6, 3, 3), id="group"),
        pytest.param(Layout.of_weight("group", (5, 8), 4), (5, 8), id="group of a linear"),
        pytest.param(Layout.of_activation("channel", 6), (2, 6, 5, 5), id="activation channel"),
        pytest.param(Layout(), (2, 6, 5, 5), id="tensor"),
    ],
)
def test_each_slice_is_rounded_by_its_own_scale(layout, shape):
    grid = IntGrid(4, signed=True)
    x = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    scale = torch.linspace(0.05, 0.5, layout.slices)
    q = qparams(scale, torch.zeros(layout.slices), grid, layout)
    expected = numpy_by_slice(x.numpy(), scale.numpy(), layout, grid)
    assert np.array_equal(fake_quantize(x, q).numpy(), expected)
    assert np.array_equal(decode(encode(x, q), q).numpy(), expected)


def numpy_by_slice(x, scale, layout, grid):
    """Elements of a slice found by their indices, one by one."""
    out = np.empty_like(x)
    for index in np.ndindex(*x.shape):
        if layout.axis is None:
            place = 0
        elif layout.axis == 1:
            place = index[1]
        elif layout.groups:
            place = index[0] * layout.groups + index[1] * layout.groups // x.shape[1]
        else:
            place = index[0]
        code = numpy_affine.encode(x[index], scale[place], 0, grid.qmin, grid.qmax)
        out[index] = numpy_affine.decode(code, scale[place], 0)
    return out


def test_memory_order_of_the_input_is_kept():
    x = torch.randn(2, 6, 5, 5).contiguous(memory_format=torch.channels_last)
    q = qparams(0.1, 0.0, IntGrid(4, signed=True))
    rounded = fake_quantize(x, q)
    assert rounded.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(rounded, fake_quantize(x.contiguous(), q))


def test_one_buffer_gives_the_same_bits_and_leaves_the_input():
    x = torch.tensor(
        [[0.25, -0.25, 0.35, float("nan"), float("inf")], [1e-9, -7.0, 3.0, 2.5, -0.0]]
    )
    before = x.clone()
    scale, zero_point = torch.tensor([[0.1], [2.0]]), torch.tensor([[3.0], [0.0]])
    terms = scale, zero_point, -8.0, 7.0
    with torch.enable_grad():
        plain = quantize_dequantize(x, *terms)
    with torch.no_grad():
        in_one_buffer = quantize_dequantize(x, *terms)
    assert plain.numpy().tobytes() == in_one_buffer.numpy().tobytes()
    assert x.numpy().tobytes() == before.numpy().tobytes()
    # By hand: 0.25 / 0.1 is 2.5 and rounds to 2; -7 / 2 is -3.5 and rounds to -4.
    assert plain[0, 0].item() == pytest.approx(0.2)
    assert plain[1, 1].item() == -8.0
