"""``python -m qat`` is ``qat``."""

from qat.cli.main import console

console()
