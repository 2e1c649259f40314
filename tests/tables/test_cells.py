"""Rows and tables as data."""

from dataclasses import FrozenInstanceError

import pytest

from qat.tables.cells import Row, Table


def test_rows_have_no_notes_of_each_other():
    first, second = Row(("a",)), Row(("b",))
    first.cell_marks[0] = (1,)
    assert second.cell_marks == {}
    assert (second.marks, second.bold, second.published) == ((), frozenset(), False)


def test_a_finished_table_does_not_change():
    table = Table((), (Row(("a",)),), (), ())
    with pytest.raises(FrozenInstanceError):
        table.rows = ()
