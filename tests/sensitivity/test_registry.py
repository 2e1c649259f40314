"""Metrics by name."""

import pytest

from qat.sensitivity.metrics import Metric
from qat.sensitivity.registry import METRICS, metric_of


def test_each_metric_has_the_name_it_is_listed_by():
    assert [metric_of(name).name for name in METRICS] == list(METRICS)
    assert all(isinstance(metric, Metric) for metric in METRICS.values())


def test_unknown_names_list_the_known():
    with pytest.raises(KeyError, match="no sensitivity metric 'hawq'; there are accuracy_drop"):
        metric_of("hawq")
