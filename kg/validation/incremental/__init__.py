"""Reports that are kept true while records change: only what a write touched is validated again.

>>> from pyoxigraph import RdfFormat, parse
>>> from battpass.kg.validation.compiled import compile_shapes
>>> heads = "@prefix sh: <http://www.w3.org/ns/shacl#> . @prefix ex: <http://example.org/> . "
>>> def read(text):
...     return list(parse(heads + text, RdfFormat.TURTLE))
>>> once = "ex:S sh:targetSubjectsOf ex:follows ; sh:property [ sh:path ( ex:follows [ sh:inversePath ex:follows ] ) ; sh:maxCount 1 ] ."
>>> store = {"second": Stored(read("ex:second ex:follows ex:first ."))}
>>> fleet = Incremental(compile_shapes(read(once)), store.get)
>>> fleet.update(store).validated
('second',)
>>> store["other"] = Stored(read("ex:other ex:follows ex:first ."))
>>> changed = fleet.update(["other"])
>>> changed.validated, [fleet.report(name).conforms for name in sorted(store)]
(('other', 'second'), [False, False])
"""  # noqa: E501

from battpass.kg.validation.incremental.basis import Basis, InMemory, Memory
from battpass.kg.validation.incremental.incremental import Incremental, Stored, Updated

__all__ = ["Basis", "InMemory", "Incremental", "Memory", "Stored", "Updated"]
