"""Hypothesis strategies: small random classifiers, and random schemes for them."""

import torch
import torch.nn.functional as F
from hypothesis import strategies as st
from torch import nn

from qat.core.scheme import Rule, Scheme, TensorSpec

ACTIVATIONS = {
    "none": nn.Identity,
    "relu": nn.ReLU,
    "relu in place": lambda: nn.ReLU(inplace=True),
    "relu6": nn.ReLU6,
    "silu": nn.SiLU,
    "hardswish in place": lambda: nn.Hardswish(inplace=True),
    "sigmoid": nn.Sigmoid,
    "hardsigmoid": nn.Hardsigmoid,
    "tanh": nn.Tanh,
    "gelu": nn.GELU,
    "gelu of tanh": lambda: nn.GELU(approximate="tanh"),
    "leaky relu": lambda: nn.LeakyReLU(0.2),
    "elu": lambda: nn.ELU(1.5),
}


class Unit(nn.Module):
    """Convolution, maybe batch norm, maybe an activation."""

    def __init__(self, conv, norm, activation):
        super().__init__()
        self.conv = conv
        self.norm = nn.BatchNorm2d(conv.out_channels) if norm else nn.Identity()
        self.activation = ACTIVATIONS[activation]()

    def forward(self, x):
        return self.activation(self.norm(self.conv(x)))


class Residual(nn.Module):
    """``x + f(x)``; where ``f`` changes x in place it is the changed x that is added."""

    def __init__(self, inner, rectified):
        super().__init__()
        self.inner, self.rectified = inner, rectified

    def forward(self, x):
        y = x + self.inner(x)
        return y.relu() if self.rectified else y


class Concatenation(nn.Module):
    """``[x, f(x)]``."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, x):
        return torch.cat([x, self.inner(x)], dim=1)


class Gate(nn.Module):
    """Squeeze and excitation: ``x * sigmoid(f(mean(x)))``."""

    def __init__(self, channels, activation):
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Conv2d(channels, channels, 1)
        self.activation = ACTIVATIONS[activation]()

    def forward(self, x):
        return x * self.activation(self.fc(self.pool(x)))


class Twice(nn.Module):
    """``f(f(x))``: one weight, two inputs."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, x):
        return self.inner(self.inner(x))


class Moves(nn.Module):
    """Zeros around, a cut, rows for columns, the sum with itself."""

    def __init__(self, pads, start, step, turned, doubled):
        super().__init__()
        self.pads, self.start, self.step = pads, start, step
        self.turned, self.doubled = turned, doubled

    def forward(self, x):
        x = F.pad(x, self.pads)[:, :, self.start :, :: self.step]
        x = x.permute(0, 1, 3, 2) if self.turned else x
        return x + x if self.doubled else x


class Classifier(nn.Module):
    """Blocks in a row and a linear layer."""

    def __init__(self, blocks, pool, features):
        super().__init__()
        self.blocks, self.pool = nn.Sequential(*blocks), pool
        self.head = nn.Linear(features, 5)

    def forward(self, x):
        return self.head(torch.flatten(self.pool(self.blocks(x)), 1))


def size_after(module, shape):
    """``(channels, height, width)``."""
    with torch.no_grad():
        return tuple(module.eval()(torch.zeros(1, *shape)).shape[1:])


@st.composite
def convolutions(draw, shape, same=False):
    """Any convolution that fits; ``same`` keeps height, width and, mostly, channels."""
    channels, *space = shape
    dilation = tuple(draw(st.integers(1, 2)) for _ in space)
    kernel = tuple(draw(st.sampled_from([1, 3] if same else [1, 2, 3])) for _ in space)
    reach = tuple(d * (k - 1) for k, d in zip(kernel, dilation, strict=True))
    if same:
        padding, stride = tuple(r // 2 for r in reach), (1, 1)
    else:
        stride = tuple(draw(st.integers(1, 2)) for _ in space)
        # At least as much as the kernel needs in so small a plane.
        least = tuple(max(0, (r - size + 2) // 2) for r, size in zip(reach, space, strict=True))
        padding = tuple(draw(st.integers(low, low + 1)) for low in least)
    groups = draw(st.sampled_from([g for g in (1, 2, 3, channels) if channels % g == 0]))
    out = channels if same else groups * draw(st.integers(1, max(1, 6 // groups)))
    return nn.Conv2d(
        channels, out, kernel, stride, padding, dilation, groups, bias=draw(st.booleans())
    )


@st.composite
def units(draw, shape, same=False):
    """A convolution with the operations that can follow it."""
    conv = draw(convolutions(shape, same))
    return Unit(conv, draw(st.booleans()), draw(st.sampled_from(sorted(ACTIVATIONS))))


@st.composite
def pools(draw, shape):
    """A max or average pool, or an adaptive one of equal windows."""
    space = shape[1:]
    kind = draw(st.sampled_from(["max", "average", "adaptive"]))
    if kind == "adaptive":
        sizes = [draw(st.sampled_from([n for n in (1, 2, 3, s) if s % n == 0])) for s in space]
        return nn.AdaptiveAvgPool2d(tuple(sizes))
    kernel = tuple(draw(st.integers(1, min(3, size))) for size in space)
    stride = tuple(draw(st.integers(1, 2)) for _ in space)
    padding = tuple(draw(st.integers(0, k // 2)) for k in kernel)
    ceil_mode = draw(st.booleans())
    if kind == "max":
        return nn.MaxPool2d(kernel, stride, padding, ceil_mode=ceil_mode)
    include = draw(st.booleans()) and not (ceil_mode and any(padding))  # refused
    return nn.AvgPool2d(kernel, stride, padding, ceil_mode, include)


KINDS = ("unit", "residual", "concat", "gate", "pool", "activation", "norm", "twice", "moves")


@st.composite
def blocks(draw, shape):
    """Any block that takes a tensor of that shape."""
    kind = draw(st.sampled_from(KINDS))
    if kind == "unit":
        return draw(units(shape))
    if kind == "residual":
        before = ACTIVATIONS[draw(st.sampled_from(["none", "relu", "relu in place"]))]()
        inner = nn.Sequential(before, draw(units(shape, same=True)))
        return Residual(inner, draw(st.booleans()))
    if kind == "concat" and shape[0] <= 6:
        return Concatenation(draw(units(shape, same=True)))
    if kind == "gate":
        return Gate(shape[0], draw(st.sampled_from(["sigmoid", "silu", "relu in place"])))
    if kind == "twice":
        return Twice(draw(units(shape, same=True)))
    if kind == "moves":
        pads = tuple(draw(st.integers(0, 2)) for _ in range(4))
        start, step = draw(st.integers(0, shape[1] - 1)), draw(st.integers(1, 2))
        return Moves(pads, start, step, draw(st.booleans()), draw(st.booleans()))
    if kind == "norm":
        return nn.BatchNorm2d(shape[0])
    if kind == "activation":
        return ACTIVATIONS[draw(st.sampled_from(sorted(ACTIVATIONS)))]()
    return draw(pools(shape))


@st.composite
def networks(draw, most_blocks=4):
    """A classifier in evaluation mode with its images ``(3, channels, height, width)``."""
    torch.manual_seed(draw(st.integers(0, 2**16)))
    first = (draw(st.integers(1, 4)), draw(st.integers(3, 9)), draw(st.integers(3, 9)))
    shape, made = first, []
    for _ in range(draw(st.integers(0, most_blocks))):
        made.append(draw(blocks(shape)))
        shape = size_after(made[-1], shape)
    pool = draw(st.sampled_from([nn.Identity, lambda: nn.AdaptiveAvgPool2d(1)]))()
    net = Classifier(made, pool, torch.Size(size_after(pool, shape)).numel()).eval()
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.3)
            module.running_var.uniform_(0.3, 2)
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, 0, 0.3)
    return net, torch.randn(3, *first)


@st.composite
def schemes(draw):
    """Placement integer with 2 to 8 bits; one layer can have another width."""
    bits = st.integers(2, 8)
    weight = TensorSpec(
        bits=draw(bits),
        symmetric=draw(st.booleans()),
        granularity=draw(st.sampled_from(["tensor", "channel"])),
    )
    act = TensorSpec(bits=draw(bits), symmetric=draw(st.booleans()))
    rules = ()
    if draw(st.booleans()):
        rules = (Rule("head", weight={"bits": draw(bits)}, act={"bits": draw(bits)}),)
    return Scheme(weight, act, draw(st.sampled_from(["8", "same"])), "integer", rules)
