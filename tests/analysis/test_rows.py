"""Rows of tensors are what a run's file has, field by field."""

from dataclasses import fields

from qat.analysis.rows import TensorRow
from qat.records.side_files.layers import LayerTensor


def test_the_file_has_the_fields_of_the_row_in_their_order():
    assert [part.name for part in fields(LayerTensor)] == [part.name for part in fields(TensorRow)]


def test_a_row_needs_only_name_slot_and_sqnr():
    row = TensorRow("fc", "act", 1.0)
    assert (row.bits, row.clipped, row.alone_db) == (None, None, None)
