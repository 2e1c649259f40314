"""Functions of a record, computed once."""

import gc
from dataclasses import replace

from qat.records.memo import once_a_record
from qat.records.schema import RunRecord


def test_a_record_is_read_once_and_another_that_is_equal_again():
    read = []

    @once_a_record
    def seed(record):
        read.append(record.id)
        return record.seed

    record = RunRecord(id="a", status="done", mode="float", seed=7)
    assert (seed(record), seed(record)) == (7, 7)
    assert read == ["a"]
    assert seed(replace(record, seed=8)) == 8
    assert read == ["a", "a"]


def test_nothing_is_kept_of_a_record_that_is_gone():
    @once_a_record
    def name(record):
        return record.id

    kept = name.__closure__[1].cell_contents
    record = RunRecord(id="b", status="done", mode="float", seed=0)
    assert name(record) == "b"
    assert len(kept) == 1
    del record
    gc.collect()
    assert kept == {}
