"""Stand-ins of quantizers: what is put in, what is written back."""

import pytest
import torch

from qat.base.errors import InputError
from qat.core.codebook import Codebook
from qat.ptq.learned_step import LearnedStep
from qat.ptq.soft_rounding import SoftRounding
from qat.ptq.softened import check_uniform, softened
from tests.ptq.networks import IMAGES, Residual, quantized, seeded


@pytest.fixture
def qnet():
    return quantized(seeded(Residual), bits=3, act_bits=4)


def test_codes_and_steps_are_written_back(qnet):
    twin = qnet.block.conv1
    own = twin.weight_quantizer, twin.input_quantizer
    codes, scale = own[0].encode(twin.weight), own[1].scale.clone()
    with softened([twin], [twin], learns_steps=True) as soft:
        assert isinstance(twin.weight_quantizer, SoftRounding)
        assert isinstance(twin.input_quantizer, LearnedStep)
        soft.roundings[twin].logits.data.neg_()  # rounds each weight the other way
        twin.input_quantizer.step.data.mul_(2)
    assert (twin.weight_quantizer, twin.input_quantizer) == own
    assert torch.equal(own[1].scale, 2 * scale)
    changed = own[0].encode(twin.weight) - codes
    assert changed.abs().max() == 1
    assert torch.equal(own[0](twin.weight), twin.weight)  # the weight is on its grid
    assert own[0].frozen


def test_an_error_leaves_everything_as_it_was(qnet):
    before = qnet(IMAGES)

    def fail():
        with softened([qnet.block.conv1], [qnet.block.conv1], learns_steps=True) as soft:
            soft.roundings[qnet.block.conv1].logits.data.neg_()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert torch.equal(qnet(IMAGES), before)


def test_steps_stay_if_they_are_not_to_be_learned(qnet):
    with softened([qnet.stem], [qnet.stem]) as soft:
        assert not soft.steps
        assert not isinstance(qnet.stem.input_quantizer, LearnedStep)


def test_an_output_is_not_rounded_while_weights_are_learned():
    qnet = quantized(seeded(Residual), placement="integer")
    own = qnet.fc.output_quantizer
    with softened([qnet.fc], [qnet.fc]):
        assert isinstance(qnet.fc.output_quantizer, torch.nn.Identity)
    assert qnet.fc.output_quantizer is own


def test_a_codebook_is_refused_by_the_name_of_the_layer(qnet, monkeypatch):
    check_uniform(qnet)
    book = Codebook(torch.tensor([[-1.0, 0.5, 2.0]]))
    monkeypatch.setattr(type(qnet.stem.weight_quantizer), "codebook", lambda _: book)
    with pytest.raises(InputError, match=r"'stem'.*codebook"):
        check_uniform(qnet)
