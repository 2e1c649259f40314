import pytest

from qat.records.schema import RunRecord
from qat.records.timings import Kind, past_timings


def record(number, mode="static", status="done", **seconds):
    protocol = {"data": {"name": "cifar10"}, "float": {"model": {"name": "resnet20"}}}
    if mode == "qat":
        protocol["training"] = {"max_epochs": 3}
    return RunRecord(
        id=f"{number:012x}", status=status, mode=mode, seed=0, protocol=protocol, seconds=seconds
    )


def test_the_median_of_finished_runs_without_what_they_share():
    past = [
        record(1, float=500.0, calibration=1.0, evaluation=2.0),
        record(2, float_evaluation=9.0, calibration=2.0, evaluation=3.0),
        record(3, calibration=10.0),
        record(4, status="running", calibration=1000.0),
        record(5, mode="qat", training=60.0),
    ]
    timings = past_timings(past)
    static, qat = Kind("static", "resnet20", "cifar10"), Kind("qat", "resnet20", "cifar10", 3)
    assert timings.seconds == {static: pytest.approx(5.0), qat: pytest.approx(60.0)}
    longer = Kind("qat", "resnet20", "cifar10", 90)
    assert timings.expected([static, static, qat, longer]) == (pytest.approx(70.0), 1)
