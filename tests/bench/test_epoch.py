"""The epoch benchmark: what it reports, and that an epoch trains on every image."""

import json

import pytest
import torch

from bench import epoch
from bench.suite import ENTRIES

TINY = ["--model", "simple_cnn", "--data", "synthetic", "--images", "20", "--batch", "8"]

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("memory_format", "precision"), [("contiguous", "32-true"), ("channels_last", "bf16-mixed")]
)
def test_reports_rates_and_paired_ratios(memory_format, precision, tmp_path, capsys):
    words = ["--kernel", "eager", "--epochs", "2", "--memory-format", memory_format]
    words += ["--precision", precision, "--out", str(tmp_path / "epoch.json")]
    epoch.main([*TINY, *words])
    report = json.loads((tmp_path / "epoch.json").read_text())
    assert report == json.loads(capsys.readouterr().out)
    results = report["results"]
    assert results["images"] == 16  # 2 full batches
    assert results["precision"] == precision
    assert results["memory_format"] == memory_format
    assert results["ratio_qat_eager"]["n"] == results["float_images_per_second"]["n"] == 2


@pytest.mark.slow
@pytest.mark.parametrize(
    "words", [entry.words for entry in ENTRIES.values() if entry.module == "epoch"]
)
def test_the_suite_asks_for_images_that_there_are(words):
    """Its own words, which a trial with ``--quick`` replaces."""
    request = epoch.request(epoch.parser().parse_args(list(words)))
    assert len(epoch.load_data(request).training) == request.train_images


def test_an_epoch_reads_every_image_once_in_its_format_and_the_next_in_another_order():
    class Noted:
        def __init__(self):
            self.labels, self.last = [], []

        def __call__(self, images, labels):
            self.last.append(images.is_contiguous(memory_format=torch.channels_last))
            self.labels += labels.tolist()

    data = epoch.load_data(epoch.DataRequest("synthetic", train_images=40, val_fraction=0))
    batches = epoch.Batches(data.train, 8, data.preprocess, shuffle=True)
    noted = Noted()
    run = epoch.Epochs(noted, batches, "channels_last")
    run()
    run()
    assert all(noted.last)
    first, second = noted.labels[:40], noted.labels[40:]
    assert sorted(first) == sorted(second) == sorted(data.train.labels.tolist())
    assert first != second
