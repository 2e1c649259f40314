"""A key that was typed and that nothing reads is refused; a sweep needs one point that reads it."""

import pytest

from qat.base.errors import RequestError
from qat.config.checks.unread import check_read
from qat.config.compose import compose_points


def check(words, multirun=False, extra_dir=None):
    points = compose_points(words, multirun, extra_dir)
    check_read([(point.overrides, point.config) for point in points], None, extra_dir)


def refusal(words):
    try:
        check(words)
    except RequestError as error:
        return str(error)
    return None


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["mode=static", "trainer.max_epochs=3"], "add mode=qat"),
        (["mode=qat", "optimizer=adam", "optimizer.momentum=0"], "take optimizer=sgd"),
        (["mode=qat", "optimizer.betas=[0.9,0.99]"], "take optimizer=adam or optimizer=adamw"),
        (["mode=qat", "schedule.milestones=[1]"], "take schedule=multistep"),
        (["float.schedule.gamma=0.5"], "take schedule@float.schedule=step"),
        (["allocate=greedy"], "add mode=mixed"),
        (["mode=float", "calibrate.images=3"], "add mode=static"),
        (["parity.max_steps=3"], "nothing is exported; add scheme.placement=integer"),
        (
            ["export=none", "scheme.placement=integer", "parity.max_steps=3"],
            "nothing is exported; leave export=none out",
        ),
        (["model.checkpoint=it.pt", "float.epochs=3"], "the float network is loaded"),
        (["mode=float", "scheme.act.bits=3"], "mode=float quantizes nothing"),
        (
            ["observer@scheme.act=minmax", "++scheme.act.observer_options.percentile=99.9"],
            "take observer@scheme.act=percentile",
        ),
        (["mode=mixed", "aids.dampening=0.1"], "add mixed.then=qat"),
        (["mode=qat", "aids.freeze_last=0.1"], "add aids.freeze_first=0.1"),
        (["mode=qat", "distill.temperature=2"], "add distill.weight=0.5"),
        (["mode=qat", "distill.feature_weight=2"], "add distill.features=[NAME,...]"),
        (
            ["mode=dynamic", "quantizer@scheme.act=lsq"],
            "measures ranges of activations at inference",
        ),
        (["mode=static", "scheme=fp16", "calibrate.images=9"], "fp16 has no ranges"),
        (["mode=dynamic", "observer@scheme.act=mse"], "add mode=static or qat"),
        (["scheme.weight.group_size=16"], "add scheme.weight.granularity=group"),
    ],
)
def test_what_nothing_reads_is_refused_with_what_would(words, part):
    message = refusal(words)
    assert message.startswith(f"{words[-1]} is not read: ")
    assert part in message


def test_presets_and_what_is_read_are_taken():
    for words in (
        ["trainer=smoke", "float=smoke", "measure=default"],
        ["mode=qat", "optimizer=adam", "optimizer.betas=[0.9,0.99]", "trainer.max_epochs=4"],
        ["trainer.accelerator=cpu", "seed=3", "kernel=eager"],
        ["scheme.placement=integer", "parity=strict", "measure.threads=[1]"],
    ):
        assert refusal(words) is None


def test_one_point_of_a_sweep_that_reads_a_key_is_enough():
    check(["mode=float,static,qat", "trainer.max_epochs=3"], multirun=True)
    with pytest.raises(RequestError, match="add mode=qat"):
        check(["mode=float,static", "trainer.max_epochs=3"], multirun=True)


@pytest.mark.parametrize(
    ("axis", "word", "fixed"),
    [
        ("optimizer=adam,sgd", "optimizer.momentum=0.9", "mode=qat"),
        ("scheme.weight.granularity=channel,group", "scheme.weight.group_size=16", "seed=0"),
        (
            "observer@scheme.act=minmax,percentile",
            "++scheme.act.observer_options.percentile=99.9",
            "seed=0",
        ),
        ("schedule=cosine,multistep", "schedule.milestones=[1,2]", "mode=qat"),
        ("mode=static,qat", "trainer.max_epochs=3", "seed=0"),
        ("quantizer@scheme.act=minmax,lsq", "++scheme.act.options.start=mse", "mode=qat"),
        ("data=synthetic,npz", "data.path=it.npz", "seed=0"),
        ("mode=static,mixed", "allocate.uniform_bits=4", "seed=0"),
    ],
)
def test_a_point_of_a_sweep_is_as_if_what_it_does_not_read_were_not_there(axis, word, fixed):
    key, _, values = axis.partition("=")
    without, with_word = (f"{key}={value}" for value in values.split(","))
    points = compose_points([axis, word, fixed], multirun=True)
    assert [point.overrides for point in points] == [(without, fixed), (with_word, word, fixed)]
    (alone,) = compose_points([without, fixed], multirun=False)
    assert points[0].config == alone.config


def test_the_users_experiment_file_counts_as_typed(tmp_path):
    (tmp_path / "experiment").mkdir()
    file = tmp_path / "experiment" / "mine.yaml"
    file.write_text("# @package _global_\nmode: static\nschedule: {gamma: 0.5}\n")
    with pytest.raises(RequestError, match=r"schedule\.gamma of mine\.yaml is not read"):
        check(["experiment=mine"], extra_dir=tmp_path)
