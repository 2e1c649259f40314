"""qat export: files of each format, and runs that it refuses."""

from types import SimpleNamespace

import pytest
from torch import nn

from qat.base.errors import RequestError
from qat.cli import export
from qat.cli.export import FORMATS, export_command, float_of
from qat.run.float_network import FloatNetwork
from tests.stored_runs import PROTOCOL, a_record


def loaded(**changes):
    """What loading a run gives, as far as an export reads it."""
    return SimpleNamespace(record=a_record(), prepared=None, qnet=None, **changes)


def test_a_folder_without_a_run_is_refused(tmp_path):
    with pytest.raises(RequestError, match="holds no run"):
        export_command(tmp_path, "packed")


def test_a_float_run_has_no_packed_file(tmp_path):
    _, write = FORMATS["packed"]
    with pytest.raises(RequestError, match="run aaa111 is a float run: --to packed writes quant"):
        write(loaded(), tmp_path / "it.safetensors")


def test_the_float_network_must_be_the_one_of_the_record(monkeypatch):
    digest = PROTOCOL["float"]["checkpoint_digest"]
    net = nn.Dropout().train()
    monkeypatch.setattr(export, "float_network", lambda prepared: FloatNetwork(net, digest))
    assert float_of(loaded()) is net
    assert not net.training
    monkeypatch.setattr(export, "float_network", lambda prepared: FloatNetwork(net, "e" * 64))
    with pytest.raises(RequestError, match=r"another float network \(cccccccccccc\).*force=true"):
        float_of(loaded())
