"""The TensorBoard page of a stored run, read back."""

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from qat.report.pages import left_out, write_pages_of_record
from tests.stored_runs import PROTOCOL, a_record, store


def test_a_page_from_the_record_has_its_metrics_layers_and_history(tmp_path):
    folder, record = store(
        tmp_path,
        a_record(),
        layers=[{"name": "inner", "slot": "weight", "sqnr_db": 20.0},
                {"name": "inner", "slot": "output", "sqnr_db": 15.0}],
        history="step,layer,slot,metric,value\n0,inner,weight,scale,0.5\n9,inner,weight,scale,0.25\n",
    )  # fmt: skip
    write_pages_of_record(tmp_path / "tb", folder, record)
    events = EventAccumulator(str(tmp_path / "tb"))
    events.Reload()
    course = [(event.step, event.value) for event in events.Scalars("scale/inner.weight")]
    assert course == [(0, 0.5), (9, 0.25)]
    assert events.Scalars("final/top1")[0].value == 0.875
    assert events.Scalars("sqnr_weight_db/inner")[0].value == 20.0
    assert {"figures/sqnr", "figures/history_scale"} <= set(events.Tags()["images"])


def test_what_a_page_from_the_record_lacks():
    assert left_out(a_record(mode="float", plan=None)) == "written from the record"
    trained = a_record(protocol=PROTOCOL | {"training": {"max_epochs": 3}})
    assert left_out(trained) == (
        "written from the record, without histograms, bars of codes, curves of accuracy and loss: "
        "force=true computes them"
    )
