"""``allocation.json`` by hand."""

import pytest

from qat.base.errors import InputError
from qat.records.side_files.allocation import AllocationFile
from tests.side_files import ALLOCATION, changed, without


def test_widths_budgets_and_random_plans():
    file = AllocationFile.from_data(ALLOCATION)
    assert [(slot.layer, slot.slot, slot.bits) for slot in file.slots] == [
        ("conv", "weight", 4),
        ("conv", "act", 8),
    ]
    assert file.budgets[0].spent / file.budgets[0].limit == 0.75
    assert file.check.plans[0].bits == (("conv", "weight", 4),)
    assert file.check.agreement.kendall.low == 0.8


def test_a_file_from_before_fronts_has_none():
    assert AllocationFile.from_data(without(ALLOCATION, ["front"])).front is None


def test_a_file_of_version_1_has_no_rounds():
    old = without(without(ALLOCATION, ["rounds"]), ["version"])
    assert AllocationFile.from_data(old).rounds is None
    assert AllocationFile.from_data({"version": 1, **old}).rounds is None


def test_rounds_have_their_plans_and_the_best_harm():
    first, second = AllocationFile.from_data(ALLOCATION).rounds
    assert first.plans[0].bits == (("conv", "weight", 4),)
    assert (first.plans[0].harm, first.harm, second.plans, second.harm) == (0.75, 0.75, (), 0.75)


def test_a_limit_is_above_0_and_a_check_has_plans():
    with pytest.raises(InputError, match=r"^budgets\[0\]\.limit must be a number above 0, got 0"):
        AllocationFile.from_data(changed(ALLOCATION, ("budgets", 0, "limit"), 0))
    with pytest.raises(InputError, match=r"^check\.plans must be a list of one or more"):
        AllocationFile.from_data(changed(ALLOCATION, ("check", "plans"), []))
