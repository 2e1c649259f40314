"""Tutorials are executed: each page of ``docs/tutorials`` has its own output in it.

    python -m docs._generate.tutorials first            # run one, and write its output
    python -m docs._generate.tutorials                  # run all
    python -m docs._generate.tutorials --check first    # run it, and say what differs

A page is Markdown. What runs, in the order of the page and in one new folder:

- A block ``console``: lines that begin with ``$ `` are commands of one bash; what follows them is
  their output. A command that fails on purpose ends with the comment ``# exit code 2``.
- A block ``python``: code of one Python session. The block ``text output`` after it has what the
  code prints, and the value of its last expression.
- A block with the name of a file, as ``python net.py`` or ``yaml conf/experiment/mine.yaml``: it is
  written to that file.
- A comment ``<!-- run ... -->``: commands that the page does not show.

The word ``varies`` after ``console`` or ``python`` says that the numbers differ each time. A block
with ``not run: REASON`` stays as it is. An image ``NAME/PATH`` of page ``NAME.md`` is the file
``PATH`` of the folder.
"""
