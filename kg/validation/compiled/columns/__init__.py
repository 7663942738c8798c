"""The column executor: runs a plan over a fleet of records at once.

Records are encoded as arrays, some thousand at a time (`encode`); shapes are asked about all their focus
nodes together (`screen`); the row executor explains the focus nodes that fail (`fleet`). The modules load
numpy, so whoever uses them imports them where the work starts.
"""
