"""Tests of the column executor: it finds in a fleet what the row executor finds in each record."""
