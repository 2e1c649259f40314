"""Tables that are saved row by row."""

import pytest

from qat.records.cache import Cache
from qat.run.mixed.resumable_table import resumable_table
from qat.sensitivity.pairs import PairRow, PairTable

ROWS = [PairRow("a", "weight", bits, "b", "weight", 2, {"output_kl": 0.5}) for bits in (2, 4, 8)]


def table_of(rows):
    return PairTable("d", tuple(rows))


def test_rows_that_were_saved_come_back_and_the_whole_table_is_cached(tmp_path):
    cache, key = Cache(tmp_path), {"of": "d"}

    def interrupted(done, keep):
        keep(ROWS[0])
        keep(ROWS[1])
        raise RuntimeError("interrupted")

    with pytest.raises(RuntimeError, match="interrupted"):
        resumable_table(cache, "pairs", key, interrupted, PairTable, PairRow)
    [saved] = (tmp_path / "pairs").glob("*.rows.jsonl")
    saved.write_text(saved.read_text() + '{"layer": "b')  # the next line is incomplete

    def resumed(done, keep):
        assert done == ROWS[:2]
        keep(ROWS[2])
        return table_of([*done, ROWS[2]])

    whole = resumable_table(cache, "pairs", key, resumed, PairTable, PairRow)
    assert whole.rows == tuple(ROWS)
    assert not saved.exists()
    again = resumable_table(cache, "pairs", key, interrupted, PairTable, PairRow)
    assert again == whole
