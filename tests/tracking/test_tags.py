"""The tags that several files share are those of the HPARAMS tab."""

from qat.tracking.tags import BEST, LAST


def test_best_and_last_are_tags_of_one_metric():
    assert {tag.partition("/")[2] for tag in (BEST, LAST)} == {"val_top1"}
    assert BEST != LAST
