"""The Fisher diagonal, against the second derivatives of the divergence."""

import torch

from qat.ptq.fisher import fisher_diagonal, probe_vectors

NET = torch.nn.Sequential(torch.nn.Linear(4, 6), torch.nn.Tanh(), torch.nn.Linear(6, 3))


def divergence(z, reference):
    p = reference.softmax(0)
    return (p * (p.log() - NET(z).log_softmax(0))).sum()


def test_is_the_hessian_of_the_divergence_in_the_logits_seen_through_the_jacobian():
    z = torch.randn(4)
    jacobian = torch.autograd.functional.jacobian(NET, z)
    logits = NET(z).detach()

    def of_logits(y):
        p = logits.softmax(0)
        return (p * (p.log() - y.log_softmax(0))).sum()

    hessian = torch.autograd.functional.hessian(of_logits, logits)
    expected = (jacobian.T @ hessian @ jacobian).diagonal()
    diagonal = fisher_diagonal(NET, z[None], probes=3, generator=torch.Generator())
    assert torch.allclose(diagonal[0], expected, atol=1e-6)


def test_the_divergence_grows_by_half_of_it():
    z, change = torch.randn(4), 1e-2
    diagonal = fisher_diagonal(NET, z[None], probes=3, generator=torch.Generator())[0]
    for place in range(4):
        moved = z.clone()
        moved[place] += change
        growth = divergence(moved.double().float(), NET(z)) * 2 / change**2
        assert abs(growth - diagonal[place]) < 0.05 * diagonal.max() + 0.02


def test_random_signs_estimate_it_without_bias():
    z = torch.randn(1, 4).expand(20_000, 4)
    exact = fisher_diagonal(NET, z[:1], probes=3, generator=torch.Generator())
    few = fisher_diagonal(NET, z, probes=2, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(few.mean(0), exact[0], rtol=0.05)


def test_vectors_make_up_the_hessian_of_each_image():
    p = torch.tensor([[0.5, 0.3, 0.2], [0.1, 0.1, 0.8]])
    vectors = torch.stack(probe_vectors(p, 3, torch.Generator()))
    made = torch.einsum("kni,knj->nij", vectors, vectors)
    expected = torch.diag_embed(p) - p[:, :, None] * p[:, None, :]
    assert torch.allclose(made, expected, atol=1e-6)


def test_parameters_get_no_gradients():
    fisher_diagonal(NET, torch.randn(2, 4), probes=3, generator=torch.Generator())
    assert all(parameter.grad is None for parameter in NET.parameters())
