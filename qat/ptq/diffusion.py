"""Round a weight column by column, and let later columns make up for the error of each.

Hassibi & Stork 1993 (optimal brain surgeon), as used by Frantar et al. 2023, arXiv:2210.17323. The
output error of a row ``w`` that becomes ``v`` is ``(v - w) H (v - w)^T``. If column ``j`` is
rounded, the best change of the columns ``F`` that are not rounded yet is their Eq. 2,

    delta = -(w_j - v_j) / [H_F^-1]_jj * (H_F^-1)_j,:

With the upper triangular ``U`` of ``H^-1 = U^T U``, row ``j`` of ``U`` is row ``j`` of the inverse
that remains after columns ``0 .. j-1``, divided by the root of its diagonal (section 4, step 3), so

    error_j = (w_j - v_j) / U_jj            w_i -= error_j * U_ji    for i > j.

Cites: hassibi1993obs, frantar2023gptq.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from qat.ptq.weight_grid import WeightGrid

BLOCK = 128
"""Columns whose updates of later columns are collected (section 4, step 2)."""
_TRIES = 8


@dataclass(frozen=True)
class ColumnOrder:
    """The order in which columns are rounded.

    Attributes:
        order: ``(groups, k)``: place in the order → column.
    """

    order: Tensor

    @classmethod
    def of(cls, hessian: Tensor, by_activation: bool) -> "ColumnOrder":
        """The columns as they are, or those with the largest inputs first.

        Args:
            hessian: ``(groups, k, k)``.
            by_activation: Sort by the diagonal, descending; equal ones keep their order.
        """
        diagonal = hessian.diagonal(dim1=1, dim2=2)
        if by_activation:
            return cls(torch.argsort(diagonal, dim=1, descending=True, stable=True))
        return cls(torch.arange(diagonal.shape[1], device=diagonal.device).expand_as(diagonal))

    def columns(self, matrix: Tensor) -> Tensor:
        """Sort the columns of ``(groups, rows, k)``."""
        return matrix.gather(2, self.order.unsqueeze(1).expand_as(matrix))

    def square(self, matrix: Tensor) -> Tensor:
        """Sort rows and columns of ``(groups, k, k)``."""
        return self.columns(self.columns(matrix).mT).mT

    def undo(self, matrix: Tensor) -> Tensor:
        """Put sorted columns back to their places."""
        index = self.order.unsqueeze(1).expand_as(matrix)
        return torch.empty_like(matrix).scatter_(2, index, matrix)

    def at(self, place: int, rows: int) -> Tensor:
        """The columns at a place of the order, ``(groups, rows)``.

        Args:
            place: Place in the order.
            rows: Rows of the weight matrices.
        """
        return self.order[:, place, None].expand(-1, rows)


def damped(hessian: Tensor, damping: float) -> Tensor:
    """``H + damping * mean(diag H) * I``; an input that is always zero gets the mean itself.

    Args:
        hessian: ``(groups, k, k)``.
        damping: Fraction of the mean of the diagonal.
    """
    diagonal = hessian.diagonal(dim1=1, dim2=2)
    mean = diagonal.mean(dim=1, keepdim=True)
    mean = torch.where(mean > 0, mean, 1.0)
    return hessian + torch.diag_embed(torch.where(diagonal > 0, damping * mean, mean))


def inverse_root(hessian: Tensor, damping: float) -> Tensor:
    """The upper triangular ``U`` with ``U^T U = damped(H)^-1``.

    Reading rows and columns backwards, the Cholesky factor of ``H`` is ``U^-1``. If the damped
    matrix is not positive definite in double precision, the damping grows tenfold until it is.

    Args:
        hessian: ``(groups, k, k)``.
        damping: See :func:`damped`.

    Example:
        >>> inverse_root(torch.tensor([[[4.0]]], dtype=torch.double), 0.0).item()
        0.5
    """
    for attempt in range(_TRIES):
        grown = max(damping, 1e-10) * 10**attempt if attempt else damping
        lower, failed = torch.linalg.cholesky_ex(damped(hessian, grown).flip(1, 2))
        if not bool(failed.any()):
            break
    upper = lower.flip(1, 2)
    identity = torch.eye(upper.shape[1], dtype=upper.dtype, device=upper.device)
    return torch.linalg.solve_triangular(upper, identity.expand_as(upper), upper=True)


def diffuse(
    weight: Tensor, root: Tensor, grid: WeightGrid, order: ColumnOrder, start: int = 0
) -> Tensor:
    """Round sorted columns one after the other.

    Args:
        weight: ``(groups, out, k)``, sorted; its columns are overwritten.
        root: :func:`inverse_root` of the sorted moments.
        grid: The values, of columns that are not sorted.
        order: The order of the columns.
        start: Place of the first column; those before it stay as they are.

    Returns:
        Codes ``(groups, out, k)``, sorted, as doubles; 0 before ``start``.
    """
    codes, (rows, columns) = torch.zeros_like(weight), weight.shape[1:]
    for begin in range(start, columns, BLOCK):
        end = min(begin + BLOCK, columns)
        errors = torch.zeros_like(weight[:, :, begin:end])
        for j in range(begin, end):
            at = order.at(j, rows)
            codes[:, :, j] = grid.nearest(weight[:, :, j], at)
            error = weight[:, :, j] - grid.values(codes[:, :, j], at)
            error = error / root[:, j, j, None]
            weight[:, :, j:end] -= error.unsqueeze(2) * root[:, None, j, j:end]
            errors[:, :, j - begin] = error
        weight[:, :, end:] -= errors @ root[:, begin:end, end:]
    return codes
