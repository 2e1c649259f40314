"""A problem whose harms do not add up: with a term for each pair of tensors.

Deng, Sharify, Wang and Orshansky, "Mixed-Precision Quantization with Cross-Layer Dependencies"
(CLADO), 2023, arXiv:2307.05657. With x[v, a] = 1 where variable v takes a bits, the harm of a plan
is predicted by a quadratic form, from forward passes only:

    harm(x) = x' G x
    G[va, va] = L(v at a) - L(float)
    G[va, wb] = 1/2 (L(v at a, w at b) + L(float) - L(v at a) - L(w at b))        v != w
    G[va, vb] = 0                                                                   a != b

L is measured with only these tensors quantized. To second order, x' G x is half of the sum over
all pairs of tensors of d_v' H d_w, with the Hessian H and the rounding errors d.

Differs from the paper: G comes from a few images and need not be positive semidefinite. The paper
sets its negative eigenvalues to zero (``absolute``: G = Q diag(e) Q' becomes Q diag(max(e, 0)) Q').
Its eigenvectors mix all widths, so that errors of the large harms of 2 bits move the small harms of
4 and 8 bits. Here (``relative``) the matrix G[i, j] / (s_i s_j) is projected, and multiplied by
s_i s_j again, where s_i^2 is the harm of tensor i, so that each entry moves by a share of the harms
of its own tensors (:func:`relatively_positive_semidefinite`). Without a projection (``none``) the
programme is exact as well, but plans can have a predicted harm below zero.

G is half of the paper's matrix, so that one tensor alone costs its own harm; L may be any metric
that reads the outputs, and for a metric in dB it is the noise power; the inputs of layers are
chosen too; harms of single tensors do not rise with bits, as for the other allocators, and tensors
whose width the plan fixes have no terms.

Cites: deng2023clado.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from qat.allocate.problem import Interactions, Problem, Variable
from qat.allocate.registry import PROJECTIONS
from qat.sensitivity.pairs import Pair


def paired(
    problem: Problem, interactions: Mapping[Pair, float], *, psd: str = PROJECTIONS[0]
) -> Problem:
    """The problem with terms for pairs.

    Args:
        problem: With the harms of single tensors.
        interactions: Of pairs of slots, :meth:`qat.sensitivity.pairs.PairTable.interactions`; a
            pair that is not there counts as 0.
        psd: How negative eigenvalues of the matrix are set to zero, one of
            :data:`qat.allocate.registry.PROJECTIONS`.

    Raises:
        KeyError: If there is no such projection.

    Example:
        >>> from qat.allocate.costs import NetworkCosts
        >>> variables = tuple(Variable(((name, "weight"),), {2: 1.0, 8: 0.0}) for name in "ab")
        >>> cancel = {(("a", "weight"), 2, ("b", "weight"), 2): -2.0}
        >>> both = paired(Problem(variables, NetworkCosts(())), cancel)
        >>> abs(round(both.harm({("a", "weight"): 2, ("b", "weight"): 2}), 9))
        0.0
    """
    columns = [(v, width) for v, own in enumerate(problem.variables) for width in own.widths]
    matrix = harm_matrix(problem, columns, interactions)
    matrix = _PROJECTED[psd](matrix)
    place = {column: index for index, column in enumerate(columns)}
    variables = tuple(
        Variable(own.slots, {a: float(matrix[place[v, a], place[v, a]]) for a in own.widths})
        for v, own in enumerate(problem.variables)
    )
    terms = {
        (v, w): {
            (a, b): 2 * float(matrix[place[v, a], place[w, b]])
            for a in one.widths
            for b in other.widths
        }
        for v, one in enumerate(problem.variables)
        for w, other in enumerate(problem.variables)
        if v < w
    }
    return replace(problem, variables=variables, interactions=_without_zeros(terms))


def harm_matrix(
    problem: Problem, columns: list[tuple[int, int]], interactions: Mapping[Pair, float]
) -> np.ndarray:
    """The symmetric matrix G.

    Args:
        problem: With the harms of single tensors.
        columns: ``(variable, width)`` of each row and column.
        interactions: Of pairs of slots.
    """
    place = {column: index for index, column in enumerate(columns)}
    owner = {slot: v for v, own in enumerate(problem.variables) for slot in own.slots}
    matrix = np.diag([problem.variables[v].harms[width] for v, width in columns])
    for (one, bits, other, other_bits), value in interactions.items():
        if one not in owner or other not in owner:
            continue
        first, second = (owner[one], bits), (owner[other], other_bits)
        if first not in place or second not in place:
            continue
        if owner[one] != owner[other]:
            matrix[place[first], place[second]] += value / 2
            matrix[place[second], place[first]] += value / 2
        elif bits == other_bits:  # tensors that take the same width
            matrix[place[first], place[first]] += value
    return matrix


def positive_semidefinite(matrix: np.ndarray) -> np.ndarray:
    """The nearest positive semidefinite matrix (Frobenius norm) of a symmetric one.

    Example:
        >>> positive_semidefinite(np.array([[0.0, 1.0], [1.0, 0.0]])).round(6).tolist()
        [[0.5, 0.5], [0.5, 0.5]]
    """
    values, vectors = np.linalg.eigh(matrix)
    nearest: np.ndarray = (vectors * np.maximum(values, 0)) @ vectors.T
    return (nearest + nearest.T) / 2


def relatively_positive_semidefinite(matrix: np.ndarray) -> np.ndarray:
    """A positive semidefinite matrix near a symmetric one, each entry on the scale of its harms.

    With s_i^2 the diagonal, at least 0, and P as :func:`positive_semidefinite`, it is
    ``s_i P(C)[i, j] s_j`` of ``C[i, j] = G[i, j] / (s_i s_j)``, limited to -1 to 1, as in every
    positive semidefinite matrix (Cauchy-Schwarz); 0 where s_i or s_j is 0.

    Example:
        >>> relatively_positive_semidefinite(np.array([[4.0, 0.5], [0.5, 0.01]])).round(6).tolist()
        [[4.0, 0.2], [0.2, 0.01]]
    """
    scale = np.sqrt(np.maximum(np.diag(matrix), 0))
    outer = np.multiply.outer(scale, scale)
    shares = np.clip(matrix / np.where(outer > 0, outer, np.inf), -1, 1)
    return positive_semidefinite(shares) * outer


def _without_zeros(terms: Interactions) -> Interactions:
    return {pair: own for pair, own in terms.items() if any(own.values())}


_PROJECTED: Mapping[str, Callable[[np.ndarray], np.ndarray]] = dict(
    zip(
        PROJECTIONS,
        (relatively_positive_semidefinite, positive_semidefinite, np.asarray),
        strict=True,
    )
)
