"""Open signs, decided by all images."""

import pytest

import qat as api
from qat.convert.signs import lower, tensor_minima
from tests.convert.day_and_night import DAY, NIGHT, net, scheme


def image_sign(plan):
    spec = plan.tensors["input"].spec if plan.tensors else plan.layers["0"].act
    return spec.signed


@pytest.mark.parametrize("placement", ["academic", "integer"])
class TestPlans:
    def test_one_bright_batch_decides_for_unsigned(self, placement):
        assert image_sign(api.make_plan(net(), scheme(placement), DAY)) is False

    def test_of_several_batches_the_darkest_decides(self, placement):
        for batches in ([DAY, NIGHT], [(DAY, 0), (NIGHT, 1)], iter([DAY, NIGHT, DAY])):
            assert image_sign(api.make_plan(net(), scheme(placement), batches)) is True

    def test_minima_of_more_images_decide(self, placement):
        model = net()
        lowest = tensor_minima(model, placement, [DAY, NIGHT])
        plan = api.make_plan(model, scheme(placement), DAY, lowest)
        assert image_sign(plan) is True
        assert lowest[{"academic": "0", "integer": "input"}[placement]] == -1.0

    def test_behind_a_relu_codes_are_unsigned(self, placement):
        plan = api.make_plan(net(), scheme(placement), [DAY, NIGHT])
        spec = plan.tensors["0"].spec if plan.tensors else plan.layers["2"].act
        assert spec.signed is False

    def test_a_sign_that_was_asked_for_stays(self, placement):
        assert image_sign(api.make_plan(net(), scheme(placement, False), [NIGHT])) is False


def test_the_lower_of_two_minima():
    assert lower({"a": 1.0, "b": -1.0}, {"a": 0.5, "c": 2.0}) == {"a": 0.5, "b": -1.0, "c": 2.0}
