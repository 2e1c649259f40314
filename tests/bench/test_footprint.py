"""The footprint benchmark: stages with their peaks, of a run that is too small to matter."""

import pytest

from bench import footprint


@pytest.mark.slow
def test_every_stage_has_its_peak(home):
    found = footprint.measure("simple_cnn", side=32, images=10, folder=home)
    assert found["code"] == 0
    for stage in ("float_evaluation", "calibration", "evaluation", "packing", "analysis", "parity"):
        assert 0 < found["stages"][stage]["peak_bytes"] <= found["peak_bytes"]
        assert found["stages"][stage]["seconds"] > 0


def test_the_peak_of_a_stage_is_its_own():
    footprint.forget_peak()
    before = footprint.peak_bytes()
    block = bytearray(200 * 2**20)
    with_block = footprint.peak_bytes()
    del block
    assert with_block - before >= 190 * 2**20
    footprint.forget_peak()
    assert footprint.peak_bytes() < with_block
