"""Figures in pages, from result files alone: `docs/figures.md`, and those that other pages quote.

python -m benchmarks.figures      writes the page anew, and renews each quoted figure

A page quotes a figure by the name of the result file and what it is called there, as on the page of figures:

    <!-- figure: queries; most-worn, times as fast as rdflib -->1.94 times<!-- end -->

A unique beginning of what it is called will do. A result file that is not there reads "not measured yet".
"""

import ast
import json
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks.campaigns import RESULTS, ROOT

PAGE = ROOT / "docs" / "figures.md"
NOT_YET = "not measured yet"

_QUOTED = re.compile(r"(<!-- figure: (?P<name>[\w.-]+); (?P<case>[^>]+?) -->).*?(<!-- end -->)", re.S)
# How units are written behind a number; what is not here stands as it is.
_UNITS = {
    "us": "µs",
    "x": "times",
    "x at least": "times at least",
    "per s": "a second",
    "reads per s": "reads a second",
}
_UNIT_AT_END = re.compile(r"(?P<name>.+)_(?P<unit>ms|s|us|bytes)")

_HEAD = """# Figures

Every figure that this documentation gives, by the result file in `benchmarks/results/` that it comes from.
`make campaign` measures them anew, and `python -m benchmarks.figures` writes this page; nobody edits it.
Times are those of one machine and tell little about another; ratios, taken in the same run, tell more.
"""


class NoSuchFigure(LookupError):
    """A page quotes a figure that no result file holds, or that several do."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure: what it is called, its value with the unit, and what was found beside it."""

    case: str
    text: str
    more: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """One result file, in words."""

    name: str
    claim: str
    measured: str
    figures: tuple[Figure, ...]

    @classmethod
    def read(cls, path: Path) -> "Result":
        """Return the result of a file that `Campaign.record` wrote."""
        page = json.loads(path.read_text(encoding="utf-8"))
        return cls(page["name"], claim(page["name"]), _measured(page), tuple(_figures(page["figures"])))

    def find(self, case: str) -> Figure:
        """Return the figure that is called so, or whose name alone begins so.

        Raises
        ------
        NoSuchFigure
        """
        exact = [one for one in self.figures if one.case == case]
        found = exact or [one for one in self.figures if one.case.startswith(case)]
        if len(found) != 1:
            names = "; ".join(one.case for one in self.figures)
            raise NoSuchFigure(f"{self.name} has {len(found)} figures called {case!r}. It has: {names}")
        return found[0]


def results(folder: Path = RESULTS) -> dict[str, Result]:
    """Return the results of a folder by name."""
    return {path.stem: Result.read(path) for path in sorted(folder.glob("*.json"))}


def page(found: Mapping[str, Result]) -> str:
    """Return the page of all figures."""
    return "\n".join([_HEAD, *(_section(one) for one in found.values())])


def renewed(text: str, found: Mapping[str, Result]) -> str:
    """Return a page with each figure that it quotes as the results have it.

    Raises
    ------
    NoSuchFigure
    """

    def figure(quoted: re.Match[str]) -> str:
        result = found.get(quoted["name"])
        value = result.find(quoted["case"]).text if result else NOT_YET
        return f"{quoted[1]}{value}{quoted[4]}"

    return _QUOTED.sub(figure, text)


def quoting() -> list[Path]:
    """Return the pages that may quote figures."""
    return [ROOT / "README.md", *(path for path in sorted((ROOT / "docs").glob("*.md")) if path != PAGE)]


def claim(name: str) -> str:
    """Return what a result is about: the first paragraph of the script, or of the test, that writes it."""
    script = ROOT / "benchmarks" / f"{name}.py"
    sources = [script] if script.exists() else _writing(name)
    if not sources:
        raise NoSuchFigure(f"No script of benchmarks/ and no test writes {name}.json. Remove it.")
    said = ast.get_docstring(ast.parse(sources[0].read_text("utf-8"))) or name
    return " ".join(said.split("\n\n")[0].split())


def number(value: float) -> str:
    """Return a number as a person reads it: whole ones in full, others to three digits.

    >>> number(1547), number(1547.9), number(0.031134), number(61.0), number(2e-7), number(0.0)
    ('1,547', '1,548', '0.0311', '61', '0.0000002', '0')
    """
    if abs(value) >= 100 or float(value).is_integer():
        return f"{round(value):,}"
    return f"{float(f'{value:.3g}'):.12f}".rstrip("0").rstrip(".")


def main() -> int:
    """Write the page of figures, and renew what others quote."""
    found = results()
    pages = {PAGE: page(found)} | {path: renewed(path.read_text("utf-8"), found) for path in quoting()}
    for path, text in pages.items():
        if not path.exists() or path.read_text("utf-8") != text:
            path.write_text(text, encoding="utf-8")
            print(f"written: {path.relative_to(ROOT)}")
    return 0


def _writing(name: str) -> list[Path]:
    """Return the tests that write a result file, those first that name it where they do."""
    named, recorded = f'"{name}"', re.compile(rf'record\(\s*"{re.escape(name)}"')
    texts = {path: path.read_text("utf-8") for path in sorted((ROOT / "tests").rglob("test_*.py"))}
    found = [path for path, text in texts.items() if named in text]
    return sorted(found, key=lambda path: recorded.search(texts[path]) is None)


def _measured(content: Mapping[str, Any]) -> str:
    machine, day = content["machine"], datetime.fromisoformat(content["made"])
    return (
        f"Measured on {day:%Y-%m-%d} at commit `{content['commit']}`, seed {content['seed']}, with "
        f"{machine['cores']} cores of {machine['processor']}, {machine['memory_gib']} GiB, "
        f"{machine['system']}, Python {machine['python']}; on {content['source']}."
    )


def _section(result: Result) -> str:
    table = [("what", "figure", "beside it"), ("---", "---", "---")]
    table += [(one.case, one.text, one.more) for one in result.figures]
    rows = ("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in table)
    return "\n\n".join([f"## {result.name}", result.claim, result.measured, "\n".join(rows)]) + "\n"


def _figures(figures: object) -> Iterator[Figure]:
    if isinstance(figures, list):
        for row in figures:
            yield _comparison(row) if "ratio" in row else _measure(row)
    elif isinstance(figures, Mapping):
        for name, value in figures.items():
            if isinstance(value, Mapping) and all(isinstance(one, Mapping) for one in value.values()):
                yield from (Figure(f"{name}: {_words(inner)}", _told(one)) for inner, one in value.items())
            else:
                yield Figure(_words(name), _told(value))
    else:
        yield Figure("result", _told(figures))


def _comparison(row: Mapping[str, Any]) -> Figure:
    sides = (f"{one['name']} {number(one['per_second'])} a second" for one in (row["ours"], row["rival"]))
    span = f"{number(row['ratio_low'])} to {number(row['ratio_high'])} times"
    return Figure(
        f"{row['case']}, against {row['rival']['name']}",
        f"{number(row['ratio'])} times as fast",
        f"{', '.join(sides)}; {span} in {len(row['ours']['seconds'])} rounds",
    )


def _measure(row: Mapping[str, Any]) -> Figure:
    more = {name: value for name, value in row.items() if name not in ("case", "value", "unit")}
    unit = _UNITS.get(row["unit"], row["unit"])
    return Figure(row["case"], f"{number(row['value'])} {unit}", _told(more))


def _told(value: object, between: str = " ") -> str:
    """Return a value, or several with their names, in words."""
    if isinstance(value, Mapping):
        return ", ".join(_member(str(name), one, between) for name, one in value.items() if one is not None)
    if isinstance(value, list | tuple):
        return ", ".join(map(_told, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return number(value) if isinstance(value, int | float) else str(value)


def _member(name: str, value: object, between: str) -> str:
    if isinstance(value, Mapping):
        return f"{_words(name)} ({_told(value, ': ')})"
    if found := _UNIT_AT_END.fullmatch(name):
        return f"{_words(found['name'])}{between}{_told(value)} {_UNITS.get(found['unit'], found['unit'])}"
    return f"{_words(name)}{between}{_told(value)}"


def _words(name: object) -> str:
    return str(name).replace("_", " ")


if __name__ == "__main__":
    sys.exit(main())
