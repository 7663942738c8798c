"""Checking passports against the shapes of `shapes/` and the duties of `ontology/obligations.csv`."""
