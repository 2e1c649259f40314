"""A digest tells networks, images and methods apart, and nothing else."""

import copy

import pytest
import torch

from qat.convert.rules import make_plan
from qat.core.scheme import Method, Scheme, TensorSpec
from qat.sensitivity.cache_key import sensitivity_digest


def scheme(bits=8, first_last="same", **spec):
    return Scheme(
        weight=TensorSpec(bits=bits), act=TensorSpec(bits=bits, **spec), first_last=first_last
    )


@pytest.fixture
def digest(tiny_model, tiny_images):
    labels = torch.arange(16) % 5

    def of(net=tiny_model, plan=None, images=tiny_images, labels=labels, size=8):
        plan = plan or make_plan(tiny_model, scheme(), tiny_images)
        batches = list(zip(images.split(size), labels.split(size), strict=True))
        return sensitivity_digest(net, plan, batches[:1], batches)

    return of


def test_it_is_the_same_for_the_same_and_for_other_widths(digest, tiny_model, tiny_images):
    assert digest() == digest(net=copy.deepcopy(tiny_model))
    for other in (scheme(bits=3), scheme(first_last="fp16")):
        assert digest(plan=make_plan(tiny_model, other, tiny_images)) == digest()


def test_it_differs_where_scores_may(digest, tiny_model, tiny_images):
    trained = copy.deepcopy(tiny_model)
    with torch.no_grad():
        trained.head.bias[0] += 1e-6
    other = tiny_images.clone()
    other[3, 0, 0, 0] += 1e-6
    labels = torch.zeros(16, dtype=torch.long)
    methods = (
        scheme(observer=Method("mse")),
        scheme(quantizer=Method("lsq")),
        scheme(symmetric=False),
        scheme(first_last="float"),  # other layers are tried
    )
    plans = [make_plan(tiny_model, method, tiny_images) for method in methods]
    found = [
        digest(),
        digest(net=trained),
        digest(images=other),
        digest(labels=labels),
        digest(size=4),
        *(digest(plan=plan) for plan in plans),
    ]
    assert len(set(found)) == len(found)


def test_half_precision_has_a_digest_too(tiny_model, tiny_images):
    plan = make_plan(tiny_model, scheme(), tiny_images)
    half = copy.deepcopy(tiny_model).to(torch.bfloat16)
    assert sensitivity_digest(half, plan) != sensitivity_digest(tiny_model, plan)
