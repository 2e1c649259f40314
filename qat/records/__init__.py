"""Run records: the files that a run leaves, and how they are written, found, locked and cached.

This room reads and writes JSON and files. It imports no torch, so a table over a thousand records
takes a moment.
"""
