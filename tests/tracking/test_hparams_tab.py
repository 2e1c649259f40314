"""The HPARAMS and custom scalars tabs over HTTP, from a real TensorBoard on loopback."""

import pytest

from qat.records.metrics import METRICS
from qat.tracking import tensorboard as board
from qat.tracking.layout import multiline_layout


@pytest.fixture
def server(tmp_path, make, serve):
    """TensorBoard over four runs: float, static, and QAT of two seeds, one written twice."""
    root = tmp_path / "runs"
    runs = [
        make("f0", mode="float", metrics={"top1": 0.88}),
        make("s0", bits=8, mode="static", quantizer="minmax"),
        make("q0", seed=0),
        make("q1", seed=1, metrics={"top1": 0.86, "compression": 7.5}),
    ]
    for run in [*runs, runs[-1]]:  # the last was resumed: written once more
        with board.open_events(root / run.id) as writer:
            board.write_hparams(writer, run, {"weight_quantizer": ["lsq", "minmax"]})
            writer.add_scalar("train/loss", 1.0, 0)
            if run.mode == "qat":
                for step, (best, last) in enumerate([(0.5, 0.5), (0.75, 0.75), (0.75, 0.625)]):
                    writer.add_scalar("best/val_top1", best, step)
                    writer.add_scalar("last/val_top1", last, step)
            board.write_final_scalars(writer, run)
    return serve(root)


def test_the_tab_has_one_typed_row_a_run(server):
    rows = server.rows(4)
    assert sorted(rows) == [
        *("float-seed0 f0", "w4a4-lsq-qat-seed0 q0", "w4a4-lsq-qat-seed1 q1"),
        "w8a8-minmax-static-seed0 s0",
    ]
    row = rows["w4a4-lsq-qat-seed1 q1"]
    assert row["hparams"] == {
        "run": "w4a4-lsq",
        "model": "simple_cnn",
        "data": "fashion_mini",
        "3 mode": "qat",
        "placement": "academic",
        "5 seed": "1",  # not 1.0000
        "1 W bits": "4",
        "weight_symmetric": True,
        "weight_granularity": "channel",
        "4 W method": "lsq",
        "weight_calibration": "mse",
        "2 A bits": "4",
        "act_symmetric": False,
        "act_granularity": "channel",
        "act_quantizer": "lsq",
        "act_calibration": "mse",
    }
    metrics = {value["name"]["tag"]: value["value"] for value in row["metricValues"]}
    assert metrics == {
        "best/val_top1": 0.75,
        "last/val_top1": 0.625,
        "final/top1": pytest.approx(0.86),
        "final/compression": pytest.approx(7.5),
    }
    assert [session["status"] for session in row["sessions"]] == ["STATUS_SUCCESS"]
    assert "weight_symmetric" not in rows["float-seed0 f0"]["hparams"]

    body = {"experimentName": "", "includeMetrics": True}
    experiment = server.ask("data/plugin/hparams/experiment", body)
    infos = {info["name"]: info for info in experiment["hparamInfos"]}
    assert infos["weight_symmetric"]["type"] == "DATA_TYPE_BOOL"
    assert infos["weight_symmetric"]["domainDiscrete"] == [False, True]
    names = [info["name"] for info in experiment["hparamInfos"]]
    assert sorted(names)[:3] == names[:3] == ["1 W bits", "2 A bits", "3 mode"]
    assert infos["1 W bits"]["type"] == "DATA_TYPE_STRING"  # 4, not 4.0000
    assert infos["3 mode"]["domainDiscrete"] == ["dynamic", "float", "mixed", "qat", "static"]
    assert infos["4 W method"]["domainDiscrete"] == ["lsq", "minmax"]
    assert infos["act_quantizer"]["type"] == "DATA_TYPE_STRING"
    assert infos["5 seed"]["type"] == "DATA_TYPE_STRING"
    tags = [info["name"]["tag"] for info in experiment["metricInfos"]]
    first = ["final/top1", "final/packed_bytes", "final/bops", "final/latency_ms"]
    assert tags[:6] == [*first, "best/val_top1", "last/val_top1"]
    assert sorted(tags[:4] + tags[6:]) == sorted(f"final/{name}" for name in METRICS)

    layout = server.ask("data/plugin/custom_scalars/layout")
    charts = {
        category["title"]: {
            chart["title"]: ["Multiline", chart["multiline"]["tag"]] for chart in category["chart"]
        }
        for category in layout["category"]
    }
    assert charts == multiline_layout()
