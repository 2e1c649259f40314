"""Both runtimes together; the reference evaluator of ONNX is the oracle."""

import sys

import numpy as np
import onnx
import pytest
from onnx import TensorProto
from onnx.reference import ReferenceEvaluator

from qat.export.runtimes import labels
from qat.export.runtimes.registry import make_runtime
from tests.export.qdq_networks import LAYERS, STEP, plain, quantized, some_images

EACH = pytest.mark.parametrize(
    "name", ["onnxruntime", pytest.param("openvino", marks=pytest.mark.openvino)]
)


def load(name, model=None, **options):
    model = quantized() if model is None else model
    return make_runtime(name).load(model.SerializeToString(), threads=1, **options)


@EACH
@pytest.mark.parametrize("optimize", [True, False])
def test_computes_what_the_file_says(name, optimize):
    expected = ReferenceEvaluator(quantized()).run(None, {"images": some_images()})[0]
    logits = load(name, optimize=optimize).run(some_images())
    assert np.unique(expected).size > 10  # nothing is saturated or dead
    # A float sum at a tie between two codes may round to either.
    assert np.abs(logits - expected).max() <= 1.001 * STEP


@EACH
def test_hands_out_codes_from_inside(name):
    asked = ["second/codes", "add/codes"]
    values = load(name, outputs=asked).run_all(some_images())
    assert list(values) == ["logits", *asked]
    model = quantized()
    model.graph.output.extend(onnx.ValueInfoProto(name=n) for n in asked)
    expected = ReferenceEvaluator(model).run(None, {"images": some_images()})
    for given, want in zip(values.values(), expected, strict=True):
        assert given.shape == want.shape
    assert values["add/codes"].dtype == np.uint8
    assert np.abs(values["add/codes"].astype(int) - expected[2]).max() <= 1


@EACH
def test_results_stay_when_it_runs_again(name):
    session = load(name)
    first = session.run(some_images())
    kept = first.copy()
    session.run(np.zeros_like(some_images()))
    assert np.array_equal(first, kept)


@EACH
def test_every_layer_of_eight_bits_runs_as_integers(name):
    nodes = load(name).nodes()
    assert labels.float_layers(nodes, LAYERS) == ()
    assert labels.label(nodes, LAYERS) is None
    assert {node.layer for node in nodes if node.integer} >= {*LAYERS, "add", "pool"}


@EACH
def test_codes_under_eight_bits_with_a_clip_still_run_as_integers(name):
    assert labels.label(load(name, quantized(qmax=15)).nodes(), LAYERS) is None


@EACH
@pytest.mark.parametrize("optimize", [True, False])
def test_four_bit_weights_are_computed_in_float(name, optimize):
    nodes = load(name, quantized(TensorProto.INT4), optimize=optimize).nodes()
    assert labels.float_layers(nodes, LAYERS) == LAYERS
    assert labels.label(nodes, LAYERS) == "simulated in float by the runtime: size only"


@EACH
def test_without_optimizations_nothing_runs_as_integers(name):
    assert labels.float_layers(load(name, optimize=False).nodes(), LAYERS) == LAYERS


@EACH
def test_a_float_network_has_no_integer_node(name):
    assert not any(node.integer for node in load(name, plain()).nodes())


@EACH
def test_times_of_layers(name):
    session = load(name)
    nodes, layers = (
        time(some_images(), 4) for time in (session.node_times_ms, session.layer_times_ms)
    )
    assert {node.name for node in session.nodes()} >= {n for n, ms in nodes.items() if ms}
    assert set(LAYERS) <= set(layers)
    assert all(ms > 0 for layer, ms in layers.items() if layer in LAYERS)
    assert sum(layers.values()) < 1000


@EACH
def test_a_file_is_loaded_like_its_bytes(name, tmp_path):
    onnx.save(quantized(), tmp_path / "net.onnx")
    session = make_runtime(name).load(tmp_path / "net.onnx", threads=1)
    assert np.array_equal(session.run(some_images()), load(name).run(some_images()))


@EACH
def test_wrong_images_are_refused_in_words(name):
    session = load(name)
    with pytest.raises(ValueError, match=r"float32 \(4, 3, 8, 7\).*\('any', 3, 8, 8\)"):
        session.run(some_images()[..., :7])
    with pytest.raises(ValueError, match=r"images are float64.*takes float32"):
        session.run(some_images().astype(np.float64))
    with pytest.raises(ValueError, match=r"float32 \(3, 8, 8\)"):
        session.run(some_images()[0])


@EACH
def test_bad_files_are_refused_in_words(name, tmp_path):
    runtime = make_runtime(name)
    with pytest.raises(ValueError, match=r"absent\.onnx: no such file"):
        runtime.load(tmp_path / "absent.onnx", threads=1)
    (tmp_path / "cut.onnx").write_bytes(quantized().SerializeToString()[:500])
    with pytest.raises(ValueError, match=r"cannot load the network|not an ONNX file"):
        runtime.load(tmp_path / "cut.onnx", threads=1)
    with pytest.raises(ValueError, match=r"no tensor third/codes .* has \d+ tensors: input/"):
        load(name, outputs=["third/codes"])
    with pytest.raises(ValueError, match="threads must be 1 or more, got 0"):
        runtime.load(b"", threads=0)


@EACH
def test_a_network_it_has_no_kernel_for_is_refused_in_words(name):
    model = plain()
    model.graph.node[1].op_type = "Relish"
    with pytest.raises(ValueError, match=r"cannot load the network: .*Relish") as refusal:
        load(name, model)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("name", "cure"),
    [("onnxruntime", "pip install onnxruntime"), ("openvino", r"qatlab\[openvino\]")],
)
def test_a_runtime_that_is_not_installed_says_how_it_is(name, cure, monkeypatch):
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ValueError, match=f"{name} is not installed: .*{cure}"):
        load(name)
