"""The page of experiments/bench: equal to its reports, and complete."""

import json

from bench import readme
from bench.peers.published import PUBLISHED

MACHINE = {
    **{"cpu": "A CPU", "cores": 2, "threads": 1, "device": "cpu", "torch": "2.15.0"},
    **{"load_before_1min": 0.25, "load_1min": 1.125, "commit": "a" * 40, "dirty": False},
    "date": "2026-11-26T09:00:00+00:00",
}
STEP = {
    "bench": "step",
    "command": "python -m bench.step --out /home/me/step.json",
    "machine": MACHINE,
    "results": {
        "model": "resnet20",
        "ratio_qat_compiled": {"n": 5, "median": 1.2, "q1": 1.1, "q3": 1.3},
        "float_images_per_second": {"n": 5, "median": 200.0, "q1": 190.0, "q3": 210.0},
    },
}
PEER = {
    "bench": "peers.modelopt",
    "command": "python -m bench.peers.modelopt --batch 128",
    "machine": MACHINE,
    "results": {
        "peer": "modelopt",
        "version": "0.47.0",
        "batch": 128,
        "ratio_int8_default": {"n": 5, "median": 1.25, "q1": 1.2, "q3": 1.4},
    },
}


def test_the_committed_page_equals_its_reports():
    text = (readme.COMMITTED / "README.md").read_text(encoding="utf-8")
    assert text == readme.page(readme.COMMITTED), "run python -m bench.readme"


def test_every_committed_report_is_on_the_page():
    text = readme.page(readme.COMMITTED)
    for path in readme.COMMITTED.glob("*.json"):
        if not path.name.startswith("peer_"):
            assert f"## {path.stem}\n" in text


def test_a_section_by_hand(tmp_path):
    (tmp_path / "step.json").write_text(json.dumps(STEP))
    text = readme.page(tmp_path)
    assert "Of model resnet20." in text
    assert "| ratio_qat_compiled | 5 | 1.200 | 1.100 to 1.300 |" in text
    assert "images_per_second" not in text
    assert "`python -m bench.step`" in text
    assert "A CPU, 2 cores, 1 thread, device cpu, torch 2.15.0, load 0.2 and 1.1; " in text
    assert "commit aaaaaaa, 2026-11-26." in text


def test_peers_stand_beside_what_was_noted_and_beside_this_project(tmp_path):
    (tmp_path / "step.json").write_text(json.dumps(STEP))
    (tmp_path / "peer_modelopt.json").write_text(json.dumps(PEER))
    failed = {"peer": "aimet", "reason": "aimet cannot be installed: no such wheel"}
    (tmp_path / "peer_aimet.json").write_text(json.dumps(PEER | {"results": failed}))
    lines = readme.page(tmp_path).splitlines()
    (modelopt,) = [line for line in lines if line.startswith("| nvidia-modelopt")]
    assert modelopt.endswith("| 1.28 | 1.250 | 5 | 1.200 to 1.400 | 0.47.0 |")
    (brevitas,) = [line for line in lines if line.startswith("| brevitas")]
    assert brevitas.endswith("| 3.1 | – | – | – | – |")
    assert any("this project: LSQ, compiled quantizers" in line for line in lines)
    assert "Not measured: aimet cannot be installed: no such wheel" in lines


def test_peers_that_were_noted_are_those_of_the_source():
    assert [row.ratio for row in PUBLISHED] == [1.28, 1.47, 1.79, 1.85, 2.67, 3.1]


def test_the_page_is_written_beside_the_reports(tmp_path):
    (tmp_path / "step.json").write_text(json.dumps(STEP))
    readme.main([str(tmp_path)])
    assert (tmp_path / "README.md").read_text(encoding="utf-8") == readme.page(tmp_path)
