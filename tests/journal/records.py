"""Small records for the journal: each line says one thing, in the graph of its record and access class."""

from collections.abc import Iterable, Mapping

from battpass.kg.graphs import AccessClass
from battpass.kg.journal.entry import Action, Stage
from battpass.kg.journal.parts import Parts
from battpass.kg.journal.prepare import Change
from battpass.kg.namespaces import BASE

MODEL = f"{BASE}m/1"


def record(number: int) -> str:
    return f"{BASE}p/00000000-0000-4000-8000-{number:012d}"


def line(of: str, access: AccessClass, name: str, value: object) -> bytes:
    return f'<{of}#battery> <https://example.org/{name}> "{value}" <{of}/{access}> .\n'.encode()


def part(of: str, access: AccessClass, values: Mapping[str, object]) -> bytes:
    return b"".join(sorted(line(of, access, name, value) for name, value in values.items()))


def parts(of: str, values: Mapping[str, object], classes: Iterable[AccessClass] = AccessClass) -> Parts:
    """Return a state that says the same in each of some access classes."""
    return {access: part(of, access, values) for access in classes if values}


def change(number: int, value: object, stage: Stage = Stage.PUBLISHED, **more: object) -> Change:
    """Return a record that is to say one changing thing and two that stay."""
    said = {"changing": value, "staying": "a", "also": "b"}
    given: dict[str, object] = {"model": MODEL, **more}
    return Change(record(number), stage, parts(record(number), said), **given)  # type: ignore[arg-type]


def archived(number: int, **more: object) -> Change:
    return Change(record(number), Stage.ARCHIVED, {}, MODEL, **more)  # type: ignore[arg-type]


def erased(number: int, **more: object) -> Change:
    return Change(record(number), Stage.ARCHIVED, {}, MODEL, Action.ERASE, **more)  # type: ignore[arg-type]


def model(name: str = MODEL, value: object = "x") -> Change:
    return Change(name, Stage.PUBLISHED, parts(name, {"says": value}), action=Action.MODEL)
