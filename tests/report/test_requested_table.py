"""The table of a request, with the published numbers of its study."""

import pytest

from qat.base.errors import RequestError
from qat.report.requested_table import TableRequest, published_beside, requested_table
from tests.stored_runs import PROTOCOL, a_record, store

CSV = """model,data,weight_bits,act_bits,metric,value,source,tag
simple_cnn,fashion_mini,4,4,top1,90,A Paper,paper
resnet20,cifar10,4,4,top1,80,Another,other
"""


@pytest.fixture
def study(home):
    """A folder with published numbers; the request's study is named mine."""
    folder = home / "experiments" / "mine"
    folder.mkdir(parents=True)
    (folder / "published.csv").write_text(CSV)


def test_published_numbers_of_the_same_network_and_data_have_a_row(home, study):
    store(home / "runs", a_record())
    plain = requested_table(TableRequest([home / "runs"]))
    beside = requested_table(TableRequest([home / "runs"], study="mine"))
    assert (len(plain.rows), len(beside.rows)) == (1, 2)


def test_numbers_of_other_networks_are_left_out(study):
    (one,) = published_beside("mine", [a_record()])
    assert (one.settings["model"], one.metric, one.value) == ("simple_cnn", "top1", 0.9)
    model = PROTOCOL["float"] | {"model": {"name": "resnet56"}}
    assert published_beside("mine", [a_record(protocol=PROTOCOL | {"float": model})]) == []
    assert published_beside(None, [a_record()]) == []


def test_a_folder_without_records_is_refused(tmp_path):
    with pytest.raises(RequestError, match=r"no run\.json under "):
        requested_table(TableRequest([tmp_path]))
