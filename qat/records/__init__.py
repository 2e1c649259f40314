"""Run records: what a run leaves behind, how it is written, found, locked and cached.

Reads and writes plain JSON and files; imports no torch, so that a table over a thousand records
is quick.
"""
