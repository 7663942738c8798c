"""SPARQL datasets: what one audience may read, asked in sealed processes behind a guard.

`Dataset` writes and is asked; `QueryPool` runs the queries of a folder; `parse_foreign` reads foreign RDF.
"""

from battpass.kg.dataset.answers import Answer
from battpass.kg.dataset.dataset import Dataset
from battpass.kg.dataset.formats import ResultFormat, negotiate, offers
from battpass.kg.dataset.guard import Limits, QueryForm
from battpass.kg.dataset.parse import DocumentLimits, parse_foreign
from battpass.kg.dataset.pool import QueryPool
from battpass.kg.dataset.sealed import Walls

__all__ = [
    "Answer",
    "Dataset",
    "DocumentLimits",
    "Limits",
    "QueryForm",
    "QueryPool",
    "ResultFormat",
    "Walls",
    "negotiate",
    "offers",
    "parse_foreign",
]
