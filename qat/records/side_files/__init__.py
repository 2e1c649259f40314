"""The files beside a run's ``run.json``, each a frozen dataclass with a version.

One file of this folder for each kind of file. :mod:`qat.records.side_files.typed_file` reads and
writes all of them.
"""
