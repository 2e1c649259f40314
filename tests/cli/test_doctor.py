"""qat doctor: what this machine has."""

from qat.cli import doctor
from qat.cli.doctor import doctor_command


def test_each_line_has_a_mark_and_missing_data_are_named(home, capsys):
    assert doctor_command() == 0
    lines = capsys.readouterr().out.splitlines()
    assert all(line[:2] in ("+ ", "- ") for line in lines)
    assert any("cifar10.npz does not exist" in line for line in lines)
    assert any(line.startswith("+ data fashion_mini") for line in lines)


def test_a_missing_compiler_and_a_missing_package_have_their_effect(home, monkeypatch, capsys):
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setattr(doctor, "_OPTIONAL", {"no_such.module": "nothing works", "json": "-"})
    doctor_command()
    lines = {line[:22].strip(): line for line in capsys.readouterr().out.splitlines()}
    compiler = next(line for line in lines.values() if "C++ compiler" in line)
    assert compiler.startswith("- ")
    assert compiler.endswith("install g++")
    assert any(line.startswith("- no_such.module") for line in lines.values())
    assert any(line.startswith("+ json") and "installed" in line for line in lines.values())
