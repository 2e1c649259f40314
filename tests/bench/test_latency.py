"""The latency benchmark: what it reports, on networks small enough for a test."""

import json

import onnx
import pytest

from bench import latency
from tests.export.qdq_networks import plain, quantized


@pytest.fixture
def files(tmp_path):
    onnx.save(plain(), tmp_path / "float.onnx")
    onnx.save(quantized(), tmp_path / "int8.onnx")
    return [f"{name}={tmp_path / name}.onnx" for name in ("float", "int8")]


def test_reports_rows_speedups_and_integer_nodes(files, tmp_path, capsys):
    size = ["--shape", "3", "8", "8", "--batch", "1", "2", "--threads", "1"]
    less = ["--repeats", "30", "--blocks", "2"]
    latency.main([*files, *size, *less, "--out", str(tmp_path / "latency.json")])
    report = json.loads((tmp_path / "latency.json").read_text())
    assert report == json.loads(capsys.readouterr().out)
    results = report["results"]
    assert [(row["network"], row["batch"]) for row in results["rows"]] == [
        *[("float", 1), ("int8", 1), ("float", 2), ("int8", 2)],
    ]
    assert [row["baseline"] for row in results["speedups"]] == ["float", "float"]
    counts = results["integer_nodes"]["onnxruntime"]
    assert counts["float"]["integer"] == 0 < counts["int8"]["integer"] < counts["int8"]["nodes"]
    assert results["files"]["int8"]["bytes"] == (tmp_path / "int8.onnx").stat().st_size


def test_files_must_be_named(files, capsys):
    with pytest.raises(SystemExit):
        latency.main([*files, "third.onnx", "--shape", "3", "8", "8"])
    assert "third.onnx: write NAME=FILE.onnx" in capsys.readouterr().err


@pytest.mark.slow
def test_a_model_is_exported_first(capsys):
    less = ["--batch", "1", "--threads", "1", "--repeats", "30", "--blocks", "2"]
    latency.main(["--model", "simple_cnn", *less])
    results = json.loads(capsys.readouterr().out)["results"]
    assert results["shape"] == [3, 32, 32]
    assert results["files"]["int8"]["bytes"] < 0.5 * results["files"]["float"]["bytes"]
    assert results["integer_nodes"]["onnxruntime"]["int8"]["integer"] > 0


def test_files_or_a_model_not_both(files, capsys):
    for words in ([], [*files], ["--model", "simple_cnn", *files, "--shape", "3", "8", "8"]):
        with pytest.raises(SystemExit):
            latency.main(words)
        assert "either files and --shape, or --model" in capsys.readouterr().err
