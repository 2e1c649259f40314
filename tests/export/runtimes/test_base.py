"""What both runtimes use: layers of nodes, medians, the check of images."""

import numpy as np
import pytest

from qat.export.runtimes import base


def test_a_layer_is_the_first_part_of_a_name():
    known = {"layer1.0", "head"}
    assert base.layer_of(["layer1.0_token_12"], known) == "layer1.0"
    assert base.layer_of(["Reshape_7", "head/bias"], known) == "head"
    assert base.layer_of(["Transpose_token_3"], known) is None


def test_medians_of_nodes():
    rounds = [{"a": 1.0, "b": 3.0}, {"a": 3.0}, {"a": 2.0, "b": 5.0}]
    assert base.medians_ms(rounds) == {"a": 2.0, "b": 3.0}


def test_images_must_have_the_shape_and_type_of_the_input():
    spec = base.InputSpec("images", (None, 3, 8, 8), np.dtype(np.float32))
    spec.check(np.zeros((5, 3, 8, 8), np.float32))
    for wrong in (np.zeros((5, 3, 8, 7), np.float32), np.zeros((5, 3, 8, 8))):
        words = rf"images are {wrong.dtype} .*takes float32 \('any', 3, 8, 8\)"
        with pytest.raises(ValueError, match=words):
            spec.check(wrong)


def test_a_missing_package_is_named_with_the_command_that_installs_it():
    assert base.require("json", "pip install json").loads("[1]") == [1]
    with pytest.raises(ValueError, match=r"^absent.part is not installed: pip install it$"):
        base.require("absent.part", "pip install it")


def test_times_of_layers_are_sums_over_nodes():
    class Timed(base.Session):
        run_all = None

        def nodes(self):
            named = (("a", "conv"), ("b", "conv"), ("c", None))
            return tuple(base.RuntimeNode(name, "Conv", True, layer) for name, layer in named)

        def node_times_ms(self, images, repeats=30, warmup=3):
            return {"a": 1.0, "b": 2.0, "c": 0.5, "unknown": 0.25}

    assert Timed().layer_times_ms(None) == {"conv": 3.0, None: 0.75}
