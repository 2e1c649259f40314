"""What any observer owes its quantizer, whichever range it takes."""

import pytest
import torch

from qat.core.grid import IntGrid
from qat.core.scheme import Method
from qat.observers.registry import OBSERVERS, make_observer

GRID = IntGrid(4, signed=True)
NAMES = sorted(OBSERVERS)


def rows(seed=0, slices=3, count=500):
    x = torch.randn(slices, count, generator=torch.Generator().manual_seed(seed))
    return x * torch.tensor([[0.1], [1.0], [20.0]])[:slices]


@pytest.mark.parametrize("name", NAMES)
class TestEveryObserver:
    def test_has_seen_nothing_at_first_and_after_a_reset(self, name):
        observer = make_observer(Method(name), 3)
        assert not observer.seen
        observer.observe(rows())
        assert observer.seen
        observer.reset()
        assert not observer.seen

    def test_gives_one_range_a_slice_in_order(self, name):
        observer = make_observer(Method(name), 3)
        observer.observe(rows())
        low, high = observer.range(GRID, symmetric=True)
        assert low.shape == high.shape == (3,)
        assert low.dtype == high.dtype == torch.float32
        assert bool((low <= high).all())
        widths = torch.maximum(-low, high)
        assert widths[0] < widths[1] < widths[2]

    def test_slices_do_not_touch_each_other(self, name):
        together = make_observer(Method(name), 2)
        together.observe(rows(slices=2))
        for index in range(2):
            alone = make_observer(Method(name), 1)
            alone.observe(rows(slices=2)[index : index + 1])
            for a, b in zip(
                alone.range(GRID, symmetric=False),
                together.range(GRID, symmetric=False),
                strict=True,
            ):
                torch.testing.assert_close(a[0], b[index])

    @pytest.mark.parametrize("bad", [torch.nan, torch.inf, -torch.inf])
    def test_refuses_what_is_not_finite_and_keeps_what_it_had(self, name, bad):
        observer = make_observer(Method(name), 3)
        observer.observe(rows())
        before = observer.range(GRID, symmetric=True)
        x = rows(1)
        x[1, 7] = bad
        with pytest.raises(ValueError, match="NaN or infinity"):
            observer.observe(x)
        after = observer.range(GRID, symmetric=True)
        assert torch.equal(before[0], after[0])
        assert torch.equal(before[1], after[1])

    def test_a_constant_slice_has_a_finite_range(self, name):
        for value in (0.0, 3.0, -2.0):
            observer = make_observer(Method(name), 1)
            observer.observe(torch.full((1, 20_000), value))
            low, high = observer.range(GRID, symmetric=False)
            assert bool(torch.isfinite(low).all())
            assert bool(torch.isfinite(high).all())

    def test_an_empty_batch_changes_nothing(self, name):
        observer = make_observer(Method(name), 3)
        observer.observe(torch.empty(3, 0))
        assert not observer.seen

    def test_keeps_no_graph(self, name):
        observer = make_observer(Method(name), 3)
        observer.observe(rows().requires_grad_())
        assert not any(r.requires_grad for r in observer.range(GRID, symmetric=True))
