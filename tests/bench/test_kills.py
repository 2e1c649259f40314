"""The campaign of kills: one kill, end to end, and the account of a campaign by hand."""

import json

import pytest

from bench import kills


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_one_kill_end_to_end(tmp_path, capsys):
    kills.main([str(tmp_path), "--kills", "1", "--out", str(tmp_path / "kills.json")])
    results = json.loads((tmp_path / "kills.json").read_text())["results"]
    assert results["kills"] == 1
    assert results["different"] == results["failed"] == 0


def test_a_campaign_that_was_finished_is_only_counted(tmp_path, capsys):
    end = {"code": 0, "made_again": ["a"], "different": [], "left_behind": ["b.tmp"]}
    lines = [
        {"round": 0, "victim": "sweep", "made_again": [], "ended": None},
        {"round": 0, "victim": "worker", "made_again": ["c"], "ended": end},
    ]
    (tmp_path / "undisturbed.json").write_text(json.dumps({"numbers": {}, "seconds": 1.0}))
    (tmp_path / "kills.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    kills.main([str(tmp_path), "--kills", "2"])
    results = json.loads(capsys.readouterr().out)["results"]
    assert results["victims"] == {"sweep": 1, "worker": 1}
    assert results["sweeps_ended"] == 1
    assert results["made_again"] == 2
    assert results["left_behind"] == ["b.tmp"]
