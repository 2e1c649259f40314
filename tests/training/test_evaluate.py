"""Accuracy and loss against numpy."""

import numpy as np
import pytest
import torch
from torch import nn

from qat.training.evaluate import classes_before, evaluate, predict_logits


class Lookup(nn.Module):
    """Logits are what the images hold."""

    def forward(self, images):
        return images.flatten(1)


def by_numpy(logits: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    logits = logits.astype(np.float64)
    order = np.argsort(-logits, axis=1, kind="stable")
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_softmax = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return {
        "top1": np.mean(order[:, 0] == labels),
        "top5": np.mean((order[:, :5] == labels[:, None]).any(axis=1)),
        "loss": -log_softmax[np.arange(len(labels)), labels].mean(),
    }


def some(count: int, classes: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    # Few distinct values: equal logits occur, as with a quantized output.
    logits = torch.randint(-4, 5, (count, classes), generator=generator).float()
    return logits, torch.randint(classes, (count,), generator=generator)


def batched(logits, labels, size):
    return list(zip(logits.split(size), labels.split(size), strict=True))


@pytest.mark.parametrize("size", [1, 7, 100])
def test_agrees_with_numpy_whatever_the_batch_size(size):
    logits, labels = some(100, 10)
    result = evaluate(Lookup(), batched(logits, labels, size))
    assert result == pytest.approx(by_numpy(logits.numpy(), labels.numpy()), rel=1e-12)


def test_top5_says_nothing_about_five_classes():
    assert evaluate(Lookup(), batched(*some(20, 5), 10)).keys() == {"top1", "loss"}


def test_among_equal_logits_the_lower_class_comes_first():
    logits = torch.tensor([[1.0, 2.0, 2.0, 0.0]]).repeat(4, 1)
    assert classes_before(logits, torch.arange(4)).tolist() == [2, 0, 1, 3]


def test_modes_gradients_and_statistics_are_left_alone(float_net, images, labels):
    float_net.train()
    float_net[4].eval()
    before = {key: value.clone() for key, value in float_net.state_dict().items()}
    evaluate(float_net, [(images, labels)])
    assert [m.training for m in float_net] == [True, True, True, True, False, True]
    assert all(torch.equal(before[k], v) for k, v in float_net.state_dict().items())


def test_the_same_twice_to_the_last_bit(quantized_net, images, labels):
    first, second = (evaluate(quantized_net, batched(images, labels, 16)) for _ in range(2))
    assert first == second


def test_predicts_in_order(images, labels):
    logits = predict_logits(Lookup(), batched(images, labels, 7), "cpu")
    assert torch.equal(logits, images.flatten(1))


def test_progress_is_told(images, labels):
    seen = []
    track = lambda batches: (seen.append(b) or b for b in batches)  # noqa: E731
    evaluate(Lookup(), batched(images, labels % 3, 10), track=track)
    assert len(seen) == 4


def test_the_first_broken_batch_is_named(float_net, images, labels):
    images = images.clone()
    images[25] = torch.inf
    with pytest.raises(ValueError, match="images of batch 2 hold NaN or infinity"):
        evaluate(float_net, batched(images, labels, 10))


def test_broken_weights_are_told_from_broken_images(float_net, images, labels):
    float_net.train()
    float_net[0].weight.data[0] = torch.nan
    with pytest.raises(ValueError, match="logits of batch 0 hold NaN"):
        evaluate(float_net, batched(images, labels, 10))
    assert float_net.training


def test_nothing_to_evaluate_is_an_error():
    with pytest.raises(ValueError, match="no batches"):
        evaluate(Lookup(), [])
