"""qat doctor: what this machine has."""

from qat.cli import doctor
from qat.cli.doctor import doctor_command


def test_each_line_has_a_mark_and_missing_data_are_named(home, capsys):
    assert doctor_command() == 0
    lines = capsys.readouterr().out.splitlines()
    assert all(line[:2] in ("+ ", "- ") for line in lines)
    assert any("cifar10.npz does not exist" in line for line in lines)
    assert any(line.startswith("+ data fashion_mini") for line in lines)
    assert any(line.startswith("- data torchvision") for line in lines)
    assert any(line[2:].startswith("timm ") for line in lines)


def test_data_that_are_here_are_named(home, capsys):
    (home / "data").mkdir()
    for name in ("cifar10", "CIFAR100", "SVHN"):
        (home / "data" / f"{name}.npz").touch()
    doctor_command()
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["+", "data", "torchvision", "CIFAR100,", "SVHN"] in lines
    assert ["+", "data", "cifar10", str(home / "data" / "cifar10.npz")] in lines


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
