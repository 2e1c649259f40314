"""Published drops beside measured ones; scipy's own interval is the oracle."""

import pytest
from scipy import stats

from qat.tables.published import Published
from qat.tables.replication import replication_markdown, replications

DROPS = [0.010, 0.012, 0.017]


def published(drop, float_top1=0.92, **conditions):
    settings = {"model": "resnet20", "method": "lsq", "weight_bits": "2", "act_bits": "2"}
    value = float_top1 - drop
    known = {"float_top1": float_top1, "epochs": "1", "first_last": "8", **conditions}
    return Published(settings, "top1", value, "a paper, table 1", "", known)


@pytest.fixture
def runs(make):
    def of(drops, float_top1=0.9173):
        protocol = {
            "float.model": "resnet20",
            "training.max_epochs": 1,
            "evaluation.first_last": "8",
        }
        return [
            make(
                *(2, 2, seed),
                protocol=protocol,
                metrics={"top1": float_top1 - d, "top1_drop": d, "float_top1": float_top1},
            )
            for seed, d in enumerate(drops)
        ]

    return of


def one(records, number):
    (row,) = replications(records, [number])
    return row


def test_the_interval_is_scipys(runs):
    row = one(runs(DROPS), published(0.012))
    low, high = stats.t.interval(0.95, 2, loc=sum(DROPS) / 3, scale=stats.sem(DROPS))
    assert (row.low, row.high) == (pytest.approx(low), pytest.approx(high))
    assert (row.mean, row.n, row.verdict) == (pytest.approx(0.013), 3, "reproduced")


def test_a_drop_outside_the_interval_is_not_reached(runs):
    assert one(runs(DROPS), published(0.003)).verdict == "not reached here"
    assert one(runs(DROPS), published(0.04)).verdict == "not reached here"


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (published(0.012, epochs="200"), "epochs 1 here, 200 there"),
        (published(0.012, first_last="float"), "first/last 8 here, float there"),
        (published(0.012, float_top1=0.9296), "float top-1 91.73 here, 92.96 there"),
    ],
)
def test_another_condition_is_named(runs, number, words):
    row = one(runs(DROPS), number)
    assert (row.verdict, row.differs) == ("not comparable", words)


def test_one_seed_is_not_enough(runs):
    row = one(runs(DROPS[:1]), published(0.01))
    assert (row.verdict, row.differs) == ("not comparable", "one seed")


def test_numbers_without_a_float_network_or_runs_are_left_out(runs):
    without = Published(dict(published(0.01).settings), "top1", 0.9, "a paper", "", {})
    other = Published({"method": "pact"}, "top1", 0.9, "a paper", "", {"float_top1": 0.91})
    assert replications(runs(DROPS), [without, other]) == []


def test_the_page_has_a_line_for_each(runs):
    text = replication_markdown(replications(runs(DROPS), [published(0.012)]))
    last = text.splitlines()[-1]
    assert last.startswith("| lsq |  | 2 | 2 | 1.20 (a paper, table 1) | 1.30 [0.40, 2.20] | 3 |")
    assert last.endswith("| reproduced |")
