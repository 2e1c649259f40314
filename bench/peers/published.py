"""Training steps of other projects over the float step, as they were noted before."""

from dataclasses import dataclass

SOURCE = (
    "*Noted before*: measured for this project's design on one 2-core Intel Xeon (AVX-512, VNNI), "
    "torch 2.15, two threads, with other load: paired medians, of which differences below 0.1 say "
    "nothing."
)


@dataclass(frozen=True)
class Published:
    """One implementation.

    Args:
        implementation: Project, version, settings.
        ratio: Of its step over the eager float step.
        peer: Script in ``bench/peers`` that measures it again; None if there is none.
        variant: Its name in that script's report.
    """

    implementation: str
    ratio: float
    peer: str | None = None
    variant: str | None = None


PUBLISHED = (
    Published(
        "nvidia-modelopt 0.47, INT8 default (fixed ranges, no clip mask)",
        1.28,
        "modelopt",
        "int8_default",
    ),
    Published("torch.ao, FusedMovingAvgObsFakeQuantize per convolution", 1.47, "torch_ao", "fused"),
    Published("torch.ao, learnable fake quantize", 1.79, "torch_ao", "learnable"),
    Published("torchao 0.18 PT2E, X86 quantizer", 1.85, "torchao", "pt2e_x86"),
    Published("aimet-torch 2.42", 2.67, "aimet", "quantsim"),
    Published("brevitas 0.13 (gathering statistics, no JIT)", 3.1, "brevitas", "int8"),
)
