"""The commands as Python functions, which return records, DataFrames and figures."""
