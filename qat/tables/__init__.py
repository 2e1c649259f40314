"""Tables from run records alone: rows over seeds, what makes rows unlike, four formats.

Imports no torch and no pandas, so that a table over a thousand records takes a moment.
"""
