"""``qat.diagnose`` shows what the command ``qat diagnose`` prints."""

import pytest

from qat.base.errors import RequestError
from qat.notebook.diagnose import diagnose
from tests.stored_runs import a_record, store

ROWS = [
    {"name": "conv1", "slot": "weight", "sqnr_db": 8.0, "bits": 8, "granularity": "channel"},
    {"name": "conv1", "slot": "output", "sqnr_db": 8.0, "alone_db": 8.0},
]


def test_the_text_is_that_of_the_command(home, qat):
    folder, record = store(home / "runs", a_record(), layers=ROWS)
    code, out, _ = qat("diagnose", folder.name)
    assert code == 0
    assert str(diagnose(record)) == out.rstrip("\n")
    assert "the weight loses more than its bits explain" in out


def test_a_run_without_layers_is_refused(home):
    store(home / "runs", a_record("f1", mode="float", plan=None))
    with pytest.raises(RequestError, match=r"has no layers\.json to diagnose"):
        diagnose("f1")
