"""Tables from run records alone: rows over seeds, notes on differing protocols, four formats.

The package imports neither torch nor pandas, so that large tables are quick to make.
"""
