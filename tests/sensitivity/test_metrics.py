import math

import numpy as np
import pytest
import torch
from scipy import stats

from qat.sensitivity.metrics import ACCURACY_DROP, LOSS_INCREASE, OUTPUT_KL, OUTPUT_SQNR

LABELS = torch.tensor([0, 1, 1, 0])
BEFORE = torch.tensor([[3.0, 1.0], [0.0, 2.0], [1.0, 4.0], [0.0, 1.0]])  # three are right
AFTER = torch.tensor([[3.0, 1.0], [2.0, 1.0], [1.0, 4.0], [0.0, 1.0]])  # two are


def score(metric, before=BEFORE, after=AFTER):
    return metric.score(before, after, LABELS)


def test_accuracy_drop_is_the_lost_share_of_the_accuracy():
    assert score(ACCURACY_DROP) == pytest.approx((3 / 4 - 2 / 4) / (3 / 4))
    assert score(ACCURACY_DROP, AFTER, BEFORE) == pytest.approx(-0.5)


def test_accuracy_drop_of_equal_logits_takes_the_lower_class():
    tie = torch.tensor([[1.0, 1.0]] * 4)
    assert score(ACCURACY_DROP, BEFORE, tie) == pytest.approx((3 - 2) / 3)


def test_loss_increase_by_numpy():
    def loss(logits):
        z = logits.double().numpy()
        log_p = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
        return -log_p[range(4), LABELS.numpy()].mean()

    assert score(LOSS_INCREASE) == pytest.approx(loss(AFTER) - loss(BEFORE))


def test_output_sqnr_by_hand():
    # one image differs, by (2, -1): noise 5; signal 9 + 1 + 4 + 1 + 16 + 1
    assert score(OUTPUT_SQNR) == pytest.approx(10 * math.log10(32 / 5))
    assert score(OUTPUT_SQNR, BEFORE, BEFORE) == math.inf


def test_output_kl_by_scipy():
    before, after = (torch.softmax(x.double(), dim=1).numpy() for x in (BEFORE, AFTER))
    assert score(OUTPUT_KL) == pytest.approx(stats.entropy(before, after, axis=1).mean())


def test_a_network_that_is_never_right_has_no_accuracy_to_lose():
    with pytest.raises(ValueError, match="none of the images right"):
        ACCURACY_DROP.score(-BEFORE[:2], AFTER[:2], LABELS[:2])


def test_the_score_of_float_is_the_best_there_is():
    assert (LOSS_INCREASE.float_score, OUTPUT_SQNR.float_score) == (0, math.inf)
