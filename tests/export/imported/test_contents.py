"""Contents of a file: what is absent is empty."""

from qat.export.imported.contents import FileContents, FileTensor, FileWeight
from qat.export.imported.encoding import encoding


def test_what_a_file_lacks_is_empty():
    contents = FileContents()
    parts = contents.weights, contents.inputs, contents.tensors, contents.ignored
    assert parts == ({}, {}, {}, {})
    one = encoding(-8, 7, [0.5], [0])
    assert FileWeight(("fc",), one).outputs is None
    assert FileTensor(("fc",), one).computed == ()
