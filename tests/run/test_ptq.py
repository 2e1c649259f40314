"""How the steps of a run are measured."""

import pytest
import torch

from qat.analysis.sqnr import sqnr_db
from qat.ptq.request import requested_steps
from qat.run.ptq import TEST_IMAGES, PtqMeasurement, step_images


def test_images_are_split_into_the_batches_of_the_configuration(make_prepared):
    prepared = make_prepared(ptq=["fold"], ptq_options__images=6, ptq_options__batch_size=4)
    images = step_images(prepared.ptq)
    assert [len(batch) for batch in images] == [4, 2]
    assert torch.equal(torch.cat(images), torch.cat([x for x, _ in prepared.ptq.images]))


@torch.no_grad()
def test_a_row_has_sqnr_on_the_steps_images_and_top1_on_test_images(
    make_quantized_state, capsys, monkeypatch
):
    monkeypatch.setattr("qat.run.ptq.TEST_IMAGES", 7)
    state = make_quantized_state(ptq=["nearest"], ptq_options__images=6)
    state.verbose = True
    request, images = state.prepared.ptq, step_images(state.prepared.ptq)
    measurement = PtqMeasurement(state, request, images)
    measurement.note(None, "quantized", state.qnet, 0.0)
    (step,) = requested_steps(["nearest"])
    measurement.note(step, "float", state.net, 1.5)
    first, second = state.ptq_rows
    x = torch.cat(images)
    expected = sqnr_db(state.net(x), state.qnet(x))
    assert first.logit_sqnr_db == pytest.approx(expected, abs=0.01)
    labels = state.prepared.data.test.labels[:7]
    right = state.logits[:7].argmax(1) == labels
    assert first.top1 == pytest.approx(float(right.float().mean()))
    assert (first.step, first.network, first.seconds) == ("calibrated", "quantized", 0.0)
    assert (second.step, second.logit_sqnr_db, second.seconds) == ("nearest", None, 1.5)
    lines = capsys.readouterr().err.splitlines()
    assert lines == [f"[ptq] {row.words}" for row in (first, second)]
    file = measurement.file()
    assert (file.images, file.test_images, file.rows) == (6, 7, (first, second))
    assert file.float_top1 == second.top1
    assert TEST_IMAGES == 2000
