"""What the points of a sweep share changes none of their results."""

import json

import pytest

from tests.command_line import SMALL
from tests.e2e.test_resume import metrics, run

pytestmark = pytest.mark.slow


def digests(home, runs):
    """Id → digests of all files but those that hold times or names of the study."""
    kinds = ("packed", "plan", "layers", "sizes")
    records = [json.loads(path.read_text()) for path in (home / runs).glob("*/run.json")]
    return {
        record["id"]: {k: v["sha256"] for k, v in record["artifacts"].items() if k in kinds}
        for record in records
    }


def test_points_of_a_sweep_equal_single_runs(home):
    words = ["scheme=w8a8,w4a4", "observer@scheme.act=minmax,percentile"]
    assert run(home, "sweep", "run", "-m", *SMALL, *words)[0] == 0
    for scheme in ("w8a8", "w4a4"):
        for observer in ("minmax", "percentile"):
            point = [f"scheme={scheme}", f"observer@scheme.act={observer}"]
            assert run(home, f"{scheme}-{observer}", "run", *SMALL, *point)[0] == 0
            (single,) = metrics(home, f"{scheme}-{observer}").items()
            assert metrics(home, "sweep")[single[0]] == single[1]
            (files,) = digests(home, f"{scheme}-{observer}").items()
            assert digests(home, "sweep")[files[0]] == files[1]
            assert {"packed", "plan"} <= files[1].keys()
