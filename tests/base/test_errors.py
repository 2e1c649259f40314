"""Classes of errors: who may catch them, and what they print."""

import pytest

from qat.base import errors


@pytest.mark.parametrize(
    ("name", "builtin"),
    [
        ("InputError", ValueError),
        ("RequestError", ValueError),
        ("CheckDefectError", ValueError),
        ("UnknownNameError", KeyError),
        ("FileUnavailableError", OSError),
    ],
)
def test_callers_may_catch_the_builtin_class_or_ours(name, builtin):
    kind = getattr(errors, name)
    assert issubclass(kind, builtin)
    assert issubclass(kind, errors.QatError)


def test_an_unknown_name_prints_without_the_quotation_marks_of_key_error():
    message = "no layer 'fc2'; there are fc"
    assert str(KeyError(message)) != message
    assert str(errors.UnknownNameError(message)) == message
    assert str(errors.UnknownNameError()) == ""
