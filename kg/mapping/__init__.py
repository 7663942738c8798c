"""Partner JSON to graph and back, by a table. Start at `mapping.py`."""
