"""The same network gives the same file, byte for byte, in whatever process it is written."""

import hashlib
import json
import os
import struct
import subprocess
import sys

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from qat.export.packed.header import sort_metadata
from qat.export.packed.network import save_packed
from tests.export.integer_networks import Residual, calibrated, images

CODE = """
import sys, torch
from pathlib import Path
from tests.export.packed.test_header import make
make(Path(sys.argv[1]))
"""


def make(folder):
    """A packed file and an ONNX file of one small network."""
    from qat.export.onnx.network import export_onnx

    net = seeded_net()
    save_packed(net, folder / "it.safetensors")
    export_onnx(net, folder / "it.onnx", images())


def seeded_net():
    torch.manual_seed(0)
    return calibrated(Residual())


def digests(folder):
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(folder.iterdir())}


def test_sorting_changes_the_order_of_the_metadata_and_nothing_else(tmp_path):
    path = tmp_path / "it"
    metadata = {name: name.upper() for name in ("plan", "ä", "format", "layout")}
    save_file({"x": torch.arange(3.0)}, path, metadata)
    before = path.read_bytes()
    sort_metadata(path)
    assert sorted(path.read_bytes()) == sorted(before)
    with safe_open(path, framework="pt") as file:
        assert file.metadata() == metadata
        assert file.get_tensor("x").tolist() == [0.0, 1.0, 2.0]
    save_file({"x": torch.zeros(1)}, path)
    without = path.read_bytes()
    sort_metadata(path)
    assert path.read_bytes() == without


def test_metadata_are_in_order_and_the_file_reads_as_before(tmp_path):
    net = seeded_net()
    path = tmp_path / "it.safetensors"
    save_packed(net, path)
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    assert length % 8 == 0
    names = list(json.loads(content[8 : 8 + length])["__metadata__"])
    assert names == sorted(names)
    assert len(names) >= 5
    first = content
    for _ in range(5):  # the library alone writes them in another order nearly every time
        save_packed(net, path)
        assert path.read_bytes() == first


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_other_processes_and_hash_seeds_write_the_same_bytes(tmp_path):
    make_here = tmp_path / "here"
    make_here.mkdir()
    make(make_here)
    for seed in ("0", "1", "random"):
        folder = tmp_path / seed
        folder.mkdir()
        environment = os.environ | {"PYTHONHASHSEED": seed}
        subprocess.run([sys.executable, "-c", CODE, str(folder)], env=environment, check=True)
        assert digests(folder) == digests(make_here)
