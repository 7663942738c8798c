"""Partner formats: each one object, registered in one line of `registry.py`."""
