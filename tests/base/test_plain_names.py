"""Names of folders: valid everywhere, or refused with a valid one."""

import pytest

from qat.base.plain_names import LENGTH, check_plain_name


@pytest.mark.parametrize("name", ["w4", "4_bits", "a.b+c-d", "größe", "x" * LENGTH])
def test_valid_names_pass(name):
    check_plain_name("study.name", name)


@pytest.mark.parametrize(
    ("name", "valid"),
    [
        ("my study/1", "my_study_1"),
        ("../escape", "escape"),
        (".hidden", "hidden"),
        ("-rf", "rf"),
        ("a\nb", "a_b"),
        ("", "name"),
        ("x" * 101, "x" * 100),
    ],
)
def test_others_are_refused_with_a_name_that_is_valid(name, valid):
    with pytest.raises(ValueError, match="is not a valid name") as caught:
        check_plain_name("study.name", name)
    assert str(caught.value).endswith(f"such as study.name={valid}")
    assert ("at most 100 characters" in str(caught.value)) == (len(name) > LENGTH)
    check_plain_name("study.name", valid)
