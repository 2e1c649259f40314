import shutil

import pytest
import torch

from qat.core import kernels
from qat.core.grid import IntGrid
from qat.core.kernels import NoCompilerWarning, choose_kernel, current_kernel, set_kernel
from qat.core.layout import Layout
from qat.core.qparams import QParams
from qat.core.rounding import fake_quantize
from qat.core.scheme import Method, TensorSpec
from qat.quantizers.registry import make_quantizer

TWO_MINUTES = 1e9  # elements of a demonstration: some epochs of a small network
LONG = 1e11


@pytest.fixture(autouse=True)
def eager_afterwards():
    yield
    set_kernel("eager")


@pytest.fixture
def compiler(monkeypatch):
    monkeypatch.setattr(kernels, "has_compiler", lambda: True)


@pytest.fixture
def no_compiler(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(shutil, "which", lambda name: None)


@pytest.mark.parametrize(
    ("kernel", "elements", "chosen"),
    [
        ("auto", TWO_MINUTES, "eager"),
        ("auto", LONG, "compiled"),
        ("compiled", 0, "compiled"),
        ("eager", LONG, "eager"),
    ],
)
def test_auto_compiles_only_what_repays_it(compiler, kernel, elements, chosen):
    assert choose_kernel(kernel, elements) == chosen


def test_without_a_compiler_auto_is_eager_without_a_word(no_compiler):
    assert choose_kernel("auto", LONG) == "eager"


def test_without_a_compiler_compiled_falls_back_with_a_notice(no_compiler):
    with pytest.warns(NoCompilerWarning, match=r"no C\+\+ compiler found.*install g\+\+"):
        assert choose_kernel("compiled", LONG) == "eager"


def test_a_gpu_saves_less_time_for_an_element(monkeypatch):
    monkeypatch.setattr(kernels, "has_gpu_compiler", lambda: True)
    assert choose_kernel("auto", LONG, "cuda") == "eager"
    assert choose_kernel("auto", 1e12, "cuda") == "compiled"
    assert choose_kernel("auto", 1e20, "mps") == "eager"  # not known, so nothing is compiled


@pytest.mark.parametrize(
    ("installed", "programs", "found"),
    [
        (True, {"gcc"}, True),
        (True, {"g++"}, False),
        (False, {"gcc"}, False),
    ],
)
def test_a_gpu_needs_triton_and_a_c_compiler(monkeypatch, installed, programs, found):
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setattr(kernels, "find_spec", lambda name: installed or None)
    monkeypatch.setattr(shutil, "which", lambda name: name if name in programs else None)
    assert kernels.has_gpu_compiler() == found


def test_a_gpu_does_not_replace_the_compiler_of_the_cpu(no_compiler, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert not kernels.has_compiler()


def test_without_triton_compiled_falls_back_with_a_notice(monkeypatch):
    monkeypatch.setattr(kernels, "has_gpu_compiler", lambda: False)
    with pytest.warns(NoCompilerWarning, match="no Triton with a C compiler.*install triton"):
        assert choose_kernel("compiled", LONG, "cuda") == "eager"


def test_code_for_a_gpu_divides_as_torch_does(monkeypatch):
    calls = []
    monkeypatch.setattr(kernels, "set_eager_numerics", lambda: calls.append("set"))
    set_kernel("compiled")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    set_kernel("eager")
    assert calls == []
    set_kernel("compiled")
    assert calls == ["set"]


def test_other_words_are_refused():
    with pytest.raises(ValueError, match="auto, compiled, eager, got 'fast'"):
        choose_kernel("fast", 0)
    with pytest.raises(ValueError, match="compiled or eager, got 'auto'"):
        set_kernel("auto")
    assert current_kernel() == "eager"


def quantizer(granularity, bits=4, signed=True):
    spec = TensorSpec(bits=bits, signed=signed, granularity=granularity, quantizer=Method("lsq"))
    layout = Layout.of_weight(granularity, (8, 4, 3, 3))
    return make_quantizer(spec, layout)


def forward_and_gradients(q, x, upstream):
    x = x.clone().requires_grad_()
    q.step.grad = None
    y = q(x)
    (y * upstream).sum().backward()
    return y.detach(), x.grad, q.step.grad


@pytest.mark.slow
@pytest.mark.skipif(not kernels.has_compiler(), reason="no C++ compiler")
@pytest.mark.parametrize("granularity", ["tensor", "channel"])
def test_compiled_lsq_equals_eager(granularity):
    """Forward and input gradient bit for bit; the step's, a sum, to 1e-4."""
    generator = torch.Generator().manual_seed(3)
    q = quantizer(granularity)
    for shape in [(8, 4, 3, 3), (8, 4, 5, 5)]:
        x, upstream = (torch.randn(shape, generator=generator) for _ in range(2))
        q.set_range(x.min(), x.max())
        set_kernel("eager")
        eager = forward_and_gradients(q, x, upstream)
        set_kernel("compiled")
        compiled = forward_and_gradients(q, x, upstream)
        assert torch.equal(eager[0], compiled[0])
        assert torch.equal(eager[1], compiled[1])
        torch.testing.assert_close(eager[2], compiled[2], rtol=1e-4, atol=1e-6)


@pytest.mark.slow
@pytest.mark.skipif(not kernels.has_compiler(), reason="no C++ compiler")
def test_compiled_affine_equals_eager():
    q = QParams(torch.tensor([0.1]), torch.tensor([3.0]), IntGrid(4, signed=False), Layout())
    found = {}
    for kernel in ("eager", "compiled"):
        set_kernel(kernel)
        x = torch.linspace(-2, 2, 4001).requires_grad_()
        y = fake_quantize(x, q)
        y.sum().backward()
        found[kernel] = y.detach(), x.grad
    assert torch.equal(found["eager"][0], found["compiled"][0])
    assert torch.equal(found["eager"][1], found["compiled"][1])


@pytest.mark.slow
@pytest.mark.skipif(not kernels.has_compiler(), reason="no C++ compiler")
@pytest.mark.parametrize("granularity", ["tensor", "channel", "group"])
@pytest.mark.parametrize("name", ["lsq", "minmax"])
def test_a_compiled_step_equals_eager(name, granularity):
    """Within a compiled whole the same formulas are written in plain operations."""
    size = 2 if granularity == "group" else None
    spec = TensorSpec(
        bits=3, signed=True, granularity=granularity, group_size=size, quantizer=Method(name)
    )
    q = make_quantizer(spec, Layout.of_weight(granularity, (8, 4, 3, 3), size)).eval()
    q.set_range(-1.0, 1.0)
    generator = torch.Generator().manual_seed(3)
    x, upstream = (torch.randn((8, 4, 3, 3), generator=generator) for _ in range(2))
    found = []
    for run in (q, torch.compile(q, fullgraph=True)):
        given = x.clone().requires_grad_()
        q.zero_grad()
        y = run(given)
        (y * upstream).sum().backward()
        found.append([y.detach(), given.grad, *(p.grad for p in q.parameters())])
    eager, whole = found
    assert torch.equal(eager[0], whole[0])
    for a, b in zip(
        eager[1:], whole[1:], strict=True
    ):  # (g * step) / step is not g to the last bit
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-6)
