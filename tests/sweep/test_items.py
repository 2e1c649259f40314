"""The different runs of a sweep: equal points are one run, and its state is that of its record."""

import pytest

from qat.config.compose import compose_points
from qat.sweep.items import make_items


@pytest.fixture
def points(home):
    return compose_points(["mode=static", "seed=0,1,0"], multirun=True)


def test_equal_points_are_one_run_in_their_order(points, home):
    items = make_items(points, lambda point: f"id{point.config.seed}")
    assert [item.id for item in items] == ["id0", "id1"]
    assert [item.folder.name for item in items] == ["id0", "id1"]
    assert [item.state() for item in items] == ["absent", "absent"]


def test_a_record_that_cannot_be_read_is_damaged(points, home):
    item = make_items(points, lambda point: "one")[0]
    item.folder.mkdir(parents=True)
    (item.folder / "run.json").write_text("{")
    assert item.state() == "damaged"
