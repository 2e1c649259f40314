"""A key that was typed and that nothing reads is refused; a sweep needs one point that reads it."""

import pytest

from qat.cli.compose import compose_points
from qat.cli.errors import RequestError
from qat.cli.unread import check_read


def check(words, multirun=False, extra_dir=None):
    points = compose_points(words, multirun, extra_dir)
    check_read([(point.overrides, point.config) for point in points], None, extra_dir)


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
        (["model.checkpoint=it.pt", "float.epochs=3"], "the float network is given"),
        (["mode=float", "scheme.act.bits=3"], "mode=float quantizes nothing"),
    ],
)
def test_what_nothing_reads_is_refused_with_what_would(words, part):
    with pytest.raises(RequestError) as refused:
        check(words)
    assert str(refused.value).startswith(f"{words[-1]} is not read: ")
    assert part in str(refused.value)


def test_presets_and_what_is_read_are_taken():
    for words in (
        ["trainer=smoke", "float=smoke", "measure=default"],
        ["mode=qat", "optimizer=adam", "optimizer.betas=[0.9,0.99]", "trainer.max_epochs=4"],
        ["trainer.accelerator=cpu", "seed=3", "kernel=eager"],
        ["scheme.placement=integer", "parity=strict", "measure.threads=[1]"],
    ):
        check(words)


def test_one_point_of_a_sweep_that_reads_a_key_is_enough():
    check(["mode=float,static,qat", "trainer.max_epochs=3"], multirun=True)
    with pytest.raises(RequestError, match="add mode=qat"):
        check(["mode=float,static", "trainer.max_epochs=3"], multirun=True)


def test_the_users_experiment_file_counts_as_typed(tmp_path):
    (tmp_path / "experiment").mkdir()
    file = tmp_path / "experiment" / "mine.yaml"
    file.write_text("# @package _global_\nmode: static\nschedule: {gamma: 0.5}\n")
    with pytest.raises(RequestError, match=r"schedule\.gamma of mine\.yaml is not read"):
        check(["experiment=mine"], extra_dir=tmp_path)
