"""The error of the tables."""

from qat.base.errors import QatError
from qat.tables.errors import TableError


def test_a_table_error_is_a_value_error_that_a_user_can_fix():
    assert issubclass(TableError, ValueError)
    assert issubclass(TableError, QatError)
    assert str(TableError("no column 'top_1'")) == "no column 'top_1'"
