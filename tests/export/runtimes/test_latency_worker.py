"""The process that times one runtime, with a session that only counts."""

import json

from qat.export.runtimes import latency_worker
from qat.export.runtimes.latency import LatencySpec

SHAPE = (3, 8, 8)


def test_networks_take_turns_and_the_first_is_not_always_the_same(files):
    turns = []

    class Spy:
        def load(self, file, threads):
            assert threads == 1
            return self.Session(file)

        class Session:
            def __init__(self, file):
                self.file, self.input = file, latency_worker.make_runtime().load(file, 1).input

            def run(self, images):
                assert images.shape == (2, *SHAPE)
                turns.append(self.file)

    request = {"files": {k: str(v) for k, v in files.items()}, "shape": SHAPE}
    spec = LatencySpec(repeats=30, blocks=4, warmup=20, settle_ms=0)
    seconds = latency_worker.time_case(Spy(), request, spec, batch=2, threads=1)
    assert [len(block) for block in seconds["int8"]] == [8, 8, 8, 8]
    first, second = request["files"].values()
    expected = [(first, 28), (second, 28), (second, 9), (first, 9)]
    expected += [(first, 9), (second, 9), (second, 9), (first, 9)]
    assert turns == [file for file, runs in expected for _ in range(runs)]


def test_a_block_begins_untimed_until_the_other_threads_have_stopped(monkeypatch):
    clock = iter([0.0, 0.01, 0.02, 0.049, 0.051])
    monkeypatch.setattr(latency_worker, "perf_counter", lambda: next(clock))
    runs = []

    class Session:
        run = runs.append

    latency_worker.warm_up(Session(), "images", 1, settle_ms=50)
    assert len(runs) == 4


def test_an_error_is_the_answer_to_a_wrong_request(tmp_path):
    request, answer = tmp_path / "request.json", tmp_path / "answer.json"
    request.write_text(json.dumps({"runtime": "tflite"}))
    assert latency_worker.main(str(request), str(answer)) == 0
    assert "no runtime tflite" in json.loads(answer.read_text())["error"]
