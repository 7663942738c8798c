"""The journal: the one truth that all else is derived from. Start at `journal.py`."""
