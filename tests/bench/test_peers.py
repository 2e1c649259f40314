"""Peers: environments that need nothing large, and reasons where there are no figures."""

import json
import subprocess
import sys
import sysconfig

import pytest

from bench.peers import __main__ as peers
from bench.peers.published import PUBLISHED


def test_every_peer_has_a_script_and_figures_noted_before():
    scripts = {path.stem for path in (peers.PROJECT / "bench" / "peers").glob("[a-z]*.py")}
    assert scripts - {"published"} == set(peers.PEERS)
    assert {row.peer for row in PUBLISHED} == set(peers.PEERS)


def test_an_environment_takes_torch_from_this_one(monkeypatch, tmp_path):
    calls = []

    def run(command, **options):
        calls.append(command[2:])
        if "venv" in command:
            (tmp_path / "peer/lib/python3.11/site-packages").mkdir(parents=True)

    monkeypatch.setattr(peers.subprocess, "run", run)
    folder = tmp_path / "peer"
    python = peers.make_environment(peers.Peer(("some==1.0",)), folder)
    assert python == folder / "bin" / "python"
    assert calls[0][0] == "venv"
    assert calls[1][-1] == "some==1.0"
    assert calls[1][calls[1].index("--override") + 1] == str(folder / "left_out.txt")
    left_out = (folder / "left_out.txt").read_text().splitlines()
    assert [line.split()[0] for line in left_out] == ["torch", "torchvision"]
    (shared,) = folder.rglob("*.pth")
    assert shared.read_text().strip() == sysconfig.get_paths()["purelib"]


def test_a_peer_of_torch_needs_no_environment(tmp_path):
    assert str(peers.make_environment(peers.Peer(), tmp_path)) == sys.executable


@pytest.mark.parametrize(
    ("stage", "reason"),
    [
        ("pip", "brevitas==0.13.4 cannot be installed: no such wheel"),
        ("-m", "its step does not run here: no such wheel"),
    ],
)
def test_a_peer_without_figures_leaves_its_reason(stage, reason, monkeypatch, tmp_path, capsys):
    real = subprocess.run

    def run(command, **options):
        if not {"venv", "pip", "-m"} & set(command):  # asked for by the report
            return real(command, **options)
        if "venv" in command:
            (tmp_path / "brevitas/lib/python3/site-packages").mkdir(parents=True)
        if stage in command:
            raise subprocess.CalledProcessError(1, command, stderr="much\nno such wheel\n")
        return None

    monkeypatch.setattr(peers.subprocess, "run", run)
    places = ["--out", str(tmp_path), "--environments", str(tmp_path)]
    assert peers.main(["brevitas", *places]) == 0
    report = json.loads((tmp_path / "peer_brevitas.json").read_text())
    assert report["results"] == {"peer": "brevitas", "reason": reason}
    assert reason in capsys.readouterr().out


def test_an_unknown_peer_is_refused(capsys):
    with pytest.raises(SystemExit):
        peers.main(["brevita"])
    assert "no peer brevita; there are modelopt," in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_part_of_torch_end_to_end(tmp_path):
    peers.main(["torch_ao", "--batch", "2", "--steps", "2", "--out", str(tmp_path)])
    results = json.loads((tmp_path / "peer_torch_ao.json").read_text())["results"]
    assert results["ratio_fused"]["n"] == results["ratio_learnable"]["n"] == 2
