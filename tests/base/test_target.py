import pytest

from qat.base.target import load_target


def test_names_what_it_names():
    assert load_target("fractions:Fraction")(1, 2) == 0.5


def test_the_current_folder_is_searched(tmp_path, monkeypatch):
    (tmp_path / "my_quantizers_here.py").write_text("class Mine: pass\n")
    monkeypatch.chdir(tmp_path)
    assert load_target("my_quantizers_here:Mine").__name__ == "Mine"


@pytest.mark.parametrize("text", ["fractions", "fractions.Fraction", ":Fraction", "fractions:"])
def test_another_form_is_refused(text):
    with pytest.raises(ValueError, match=r"must be package\.module:name"):
        load_target(text)


def test_what_is_not_there_is_named():
    with pytest.raises(ValueError, match="is it installed, or in"):
        load_target("no_such_module_anywhere:Thing")
    with pytest.raises(ValueError, match="fractions has no 'Fractal'"):
        load_target("fractions:Fractal")
