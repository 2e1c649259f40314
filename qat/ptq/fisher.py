"""How much each element of a block's output matters to the network's output.

Li et al., "BRECQ: Pushing the Limit of Post-Training Quantization by Block Reconstruction", ICLR
2021, arXiv:2102.05426, weights the squared error of a block's output ``z`` by the diagonal of the
Fisher information, the squared gradients of the task loss (Eq. 10). Here the task loss is the
Kullback-Leibler divergence from the float network's class probabilities ``p``, so that no labels
are needed. Its gradient is 0 at the float network; its Hessian in the logits is

    diag(p) - p p^T = B B^T,    B = diag(sqrt(p)) - p sqrt(p)^T

and with the Jacobian ``J`` of the logits in ``z``, the Fisher diagonal is

    diag(J^T B B^T J) = sum over the classes k of (gradient in z of logits . B e_k)^2

which takes one backward pass for each class. With more classes than probes, random signs ``v`` in
place of the unit vectors ``e_k`` give an estimate without bias, E[(J^T B v)^2].

Cites: li2021brecq.
"""

from collections.abc import Callable

import torch
from torch import Generator, Tensor


def fisher_diagonal(
    logits_of: Callable[[Tensor], Tensor], z: Tensor, probes: int, generator: Generator
) -> Tensor:
    """The Fisher diagonal of a block's output, for one batch.

    Args:
        logits_of: The network behind the block: from ``z`` to logits ``(batch, classes)``.
        z: ``(batch, ...)``, the block's output in the float network.
        probes: Most backward passes.
        generator: Source of the random signs, on the CPU.

    Returns:
        Of the shape of ``z``.

    Example:
        >>> z = torch.zeros(1, 2)  # p = (1/2, 1/2), and J is the identity
        >>> fisher_diagonal(lambda logits: logits, z, 16, torch.Generator()).round(decimals=4)
        tensor([[0.2500, 0.2500]])
    """
    z = z.detach().requires_grad_()
    with torch.enable_grad():
        logits = logits_of(z)
        vectors = probe_vectors(logits.detach().softmax(dim=1), probes, generator)
        diagonal = torch.zeros_like(z)
        for number, vector in enumerate(vectors, start=1):
            scalar = (logits * vector).sum()
            (gradient,) = torch.autograd.grad(scalar, z, retain_graph=number < len(vectors))
            diagonal.addcmul_(gradient, gradient)
    return diagonal.detach()


def probe_vectors(probabilities: Tensor, probes: int, generator: Generator) -> list[Tensor]:
    """``B e_k`` for each class, or ``B v / sqrt(probes)`` for random signs ``v``.

    Args:
        probabilities: ``(batch, classes)``.
        probes: Most vectors.
        generator: Source of the signs, on the CPU.

    Returns:
        Tensors ``(batch, classes)``; the sum of their outer products is, or estimates, the Hessian
        of the divergence in the logits.
    """
    batch, classes = probabilities.shape
    root = probabilities.sqrt()
    if classes <= probes:
        return [_times_b(root, unit) for unit in torch.eye(classes).to(root)]
    draws = torch.randint(0, 2, (probes, batch, classes), generator=generator)
    return [_times_b(root, (2 * v - 1) / probes**0.5) for v in draws.to(root)]


def _times_b(root: Tensor, v: Tensor) -> Tensor:
    """``B v`` for each image; ``root`` is ``sqrt(p)``."""
    return root * v - root.square() * (root * v).sum(dim=1, keepdim=True)
