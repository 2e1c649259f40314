"""Every metric of a training's history has a tag of its own."""

from qat.analysis.history import TAGS
from qat.records.side_files.history import METRICS


def test_each_metric_that_the_file_may_have_has_a_tag():
    assert tuple(TAGS) == METRICS
    assert len(set(TAGS.values())) == len(METRICS)
