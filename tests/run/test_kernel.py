"""The kernel of a quantized training, by the work that is to come."""

from qat.run import kernel
from qat.run.kernel import chosen_kernel


def test_the_kernel_is_chosen_by_the_elements_of_all_steps(make_prepared, monkeypatch):
    choices = []
    monkeypatch.setattr(kernel, "choose_kernel", lambda *words: choices.append(words) or "eager")
    prepared = make_prepared("qat", kernel="auto", trainer__max_epochs=10)
    assert chosen_kernel(prepared, prepared.network.build()) == "eager"
    # Inputs of the three layers: 3 x 8 x 8, 4 x 4 x 4 and 4; 15 images in each of 10 epochs.
    assert choices == [("auto", (192 + 64 + 4) * 15 * 10, "cpu")]
    assert chosen_kernel(make_prepared(kernel="compiled"), prepared.network.build()) == "eager"
