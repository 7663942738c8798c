"""Native twins of queries: the same solutions from the dict index, without a store and without SPARQL.

A query whose every part is understood (`groups`, `expressions`) gets a twin, be it a constraint of a shape
or the validator of a component with its parameters; so a twin never says anything else than the query beside
it. It works on ordinary values alone: `values` says which these are. Where data hold anything else, or the
work would grow beyond what is linear, the twin declines and the query is run.
"""
