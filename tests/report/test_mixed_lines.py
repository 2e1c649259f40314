"""Lines about chosen bit widths, from files written by hand."""

from qat.records.side_files.allocation import AllocationFile
from qat.records.side_files.sensitivity import SensitivityFile
from qat.report.mixed_lines import allocation_lines, sensitivities

SLOTS = [
    *({"layer": "a", "slot": "weight", "bits": bits, "score": None} for bits in (4, 8, 4)),
    {"layer": "a", "slot": "act", "bits": 6, "score": None},
]
PLANS = [{"harm": 0.5, "top1": top1, "bits": []} for top1 in (0.5, 0.75)]
ALLOCATION = {
    "allocator": "ilp",
    "trained": False,
    "metric": "fisher",
    "slots": SLOTS,
    "predicted_harm": 0.25,
    "unit": "nats",
    "budgets": [{"name": "weight_bytes", "spent": 750.0, "limit": 1000.0}],
    "check": {
        "plans": PLANS,
        "agreement": {
            "spearman": {"value": 0.9, "low": 0.8, "high": 1.0},
            "kendall": {"value": 0.7, "low": 0.5, "high": 0.9},
            "plans": 2,
            "confidence": 0.95,
        },
    },
}


def test_widths_budgets_and_check_have_a_line_each():
    assert allocation_lines(AllocationFile.from_data(ALLOCATION)) == [
        "widths by ilp from fisher: weights: 1 at 8 bits, 2 at 4 bits; inputs: 1 at 6 bits; "
        "predicted harm 0.25 nats",
        "budgets: weight_bytes 750 of 1,000 (75.0%)",
        "2 random plans: the best has top-1 75.00 %; correlation of prediction and drop: "
        "Spearman 0.90 (0.80 to 1.00), Kendall 0.70 (0.50 to 0.90)",
    ]


def test_rounds_have_their_plans_and_what_they_brought():
    plan = {"harm": 0.5, "bits": []}
    rounds = [
        {"plans": [plan, plan], "harm": 0.5},
        {"plans": [plan], "harm": 0.25},
        {"plans": [], "harm": 0.25},
    ]
    data = ALLOCATION | {"budgets": [], "check": None, "rounds": rounds}
    assert allocation_lines(AllocationFile.from_data(data))[1:] == [
        "measured whole plans: 2 to begin with, best harm 0.5 nats; round 1: 1 more, best harm "
        "0.25 nats; round 2: 0 more, the plan stays"
    ]


def test_too_few_plans_have_no_correlation():
    check = {"plans": PLANS[:1], "agreement": None}
    data = ALLOCATION | {"budgets": [], "check": check}
    lines = allocation_lines(AllocationFile.from_data(data))
    assert lines[1:] == [
        "1 random plans: the best has top-1 50.00 %; too few plans for a correlation"
    ]


def test_sensitivities_are_layers_by_bits_and_an_infinite_score_has_no_number():
    rows = [
        {"layer": "fc", "slot": "weight", "bits": bits, "score": score}
        for bits, score in ((4, 0.5), (8, 0.25), (16, "inf"))
    ]
    head = {"metric": "fisher", "unit": "nats", "higher_is_worse": True, "digest": "ab"}
    table = sensitivities(SensitivityFile.from_data({**head, "rows": rows}))
    assert sensitivities(SensitivityFile.from_data({**head, "rows": rows[2:]})) is None
    assert [column.header for column in table.columns] == ["layer", "slot", "8 bit", "4 bit"]
    assert [cell.mean for cell in table.rows[0].cells[2:]] == [0.25, 0.5]


def test_an_allocator_of_the_users_is_named_by_the_last_word_of_its_target():
    file = AllocationFile.from_data(ALLOCATION | {"allocator": "mine.choice:worst_first"})
    assert allocation_lines(file)[0].startswith("widths by worst_first from fisher: ")
