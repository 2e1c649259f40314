import pytest
import torch

from qat.core.codebook import Codebook
from qat.core.layout import Layout
from qat.core.scheme import TensorSpec
from qat.ptq.weight_grid import AffineGrid, TableGrid, grid_of, matrices
from qat.quantizers.minmax import MinMaxQuantizer


def test_a_grouped_weight_becomes_one_matrix_for_each_group():
    weight = torch.arange(24.0).reshape(4, 3, 2)
    assert matrices(weight, 2)[1, 1].tolist() == [18, 19, 20, 21, 22, 23]


@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize(
    ("granularity", "size"), [("tensor", None), ("channel", None), ("group", 2)]
)
def test_the_grid_gives_the_codes_and_values_of_the_quantizer(granularity, size, symmetric):
    torch.manual_seed(0)
    weight = torch.randn(6, 4, 3, 3)
    spec = TensorSpec(
        bits=3, signed=True, granularity=granularity, group_size=size, symmetric=symmetric
    )
    layout = Layout.of_weight(granularity, tuple(weight.shape), size)
    quantizer = MinMaxQuantizer(spec, layout).eval()
    rows = layout.sliced(weight)
    quantizer.set_range(0.7 * rows.amin(dim=1), 0.7 * rows.amax(dim=1))
    grid, own = grid_of(quantizer, weight, 3), matrices(weight, 3)
    codes, values = torch.empty_like(own), torch.empty_like(own)
    for j in range(own.shape[2]):
        at = torch.full(own.shape[:2], j)
        codes[:, :, j] = grid.nearest(own[:, :, j], at)
        values[:, :, j] = grid.values(codes[:, :, j], at)
    assert torch.equal(codes.int().reshape(weight.shape), quantizer.encode(weight))
    torch.testing.assert_close(values.float().reshape(weight.shape), quantizer(weight))
    assert isinstance(grid, AffineGrid)
    assert torch.equal(grid.scales(layout.shape).float(), quantizer.qparams().scale)


@pytest.mark.parametrize("layout", [Layout(), Layout(0, 4), Layout(0, 4, 2)])
def test_a_codebook_gives_its_own_codes_and_values(layout):
    torch.manual_seed(0)
    weight = torch.randn(4, 6)
    book = Codebook(torch.randn(layout.slices, 5).sort(dim=1).values, layout)

    class Tabled:
        def codebook(self):
            return book

    grid, own = grid_of(Tabled(), weight, 1), matrices(weight, 1)
    assert isinstance(grid, TableGrid)
    for j in range(6):
        at = torch.full((1, 4), j)
        codes = grid.nearest(own[:, :, j], at)
        assert torch.equal(codes[0].int(), book.encode(weight)[:, j])
        assert torch.equal(
            grid.values(codes, at)[0].float(), book.decode(book.encode(weight))[:, j]
        )


def test_rows_may_look_at_different_columns():
    scale = torch.tensor([[[1.0, 2.0], [4.0, 8.0]]], dtype=torch.double)
    grid = AffineGrid(scale, torch.zeros_like(scale), -4, 3)
    codes = torch.ones(1, 2, dtype=torch.double)
    assert grid.values(codes, torch.tensor([[1, 0]])).tolist() == [[2.0, 4.0]]
