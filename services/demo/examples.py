"""The published examples: one row of `examples.csv` for each passport, and what supplements some of them.

`python -m battpass.services.demo.examples examples` writes `passports/` and, of `supplements/`, what is
made from the table; the five full supplements there are written by hand.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from battpass.services.demo.catalogue import FOLDER, Catalogue, rows
from battpass.services.demo.condition import Condition
from battpass.services.demo.passport import Battery, PassportBuilder
from battpass.services.demo.supplements import supplement

# `battpass/services` may be a link to `services`; either way the folder of examples lies beside it.
SUPPLEMENTS = Path(__file__).resolve().parents[2] / "examples" / "supplements"


@dataclass(frozen=True, slots=True)
class Example:
    """One row: the battery, the days of its life, and the four numbers that its condition follows from.

    `deep_discharges` has no place in the payload; where it is given, a supplement is made.
    """

    name: str
    model: str
    passport: str
    predecessor: str
    serial: str
    batch: str
    operator: str
    manufactured: date
    placed_on_market: date
    into_service: date | None
    issued: date
    expires: date
    counted_at: datetime
    tested_at: datetime
    status: str
    passport_status: str
    version: str
    full_cycles: int
    capacity_fade_percent: float
    resistance_rise_percent: float
    state_of_charge_percent: float
    events: str
    deep_discharges: int | None


def examples() -> tuple[Example, ...]:
    """Read the table of examples."""
    return rows(FOLDER / "examples.csv", Example)


def example_batteries(catalogue: Catalogue) -> Iterator[Battery]:
    """Yield the batteries of the examples, in the order of the table."""
    return (example_battery(example, catalogue) for example in examples())


def example_battery(example: Example, catalogue: Catalogue) -> Battery:
    """Return the battery that a row describes; operators are named by their key in `makers.csv`."""
    return Battery(
        model=example.model,
        passport=example.passport,
        predecessor=example.predecessor,
        serial=example.serial,
        batch=example.batch,
        operator=catalogue.makers[example.operator].bpnl,
        manufactured=example.manufactured,
        placed_on_market=example.placed_on_market,
        into_service=example.into_service,
        issued=example.issued,
        expires=example.expires,
        counted_at=example.counted_at,
        tested_at=example.tested_at,
        status=example.status,
        passport_status=example.passport_status,
        version=example.version,
        condition=Condition.of(
            catalogue.models[example.model],
            catalogue.chemistry_of(catalogue.models[example.model]),
            example.full_cycles,
            example.capacity_fade_percent,
            example.resistance_rise_percent,
            example.state_of_charge_percent,
        ),
        events=tuple(filter(None, example.events.split("|"))),
    )


def example_texts() -> Iterator[tuple[str, str]]:
    """Yield the path below `examples` and the text of every file that is made from the tables."""
    catalogue = Catalogue.load()
    builder = PassportBuilder(catalogue)
    for example in examples():
        battery = example_battery(example, catalogue)
        payload = json.dumps(builder.payload(battery), indent=2, ensure_ascii=False)
        yield f"passports/{example.name}.json", payload + "\n"
        if example.deep_discharges is not None:
            model = catalogue.models[example.model]
            yield (
                f"supplements/{example.name}.ttl",
                supplement(example.name, battery, model, example.deep_discharges),
            )


def demo_supplements() -> Mapping[str, bytes]:
    """Return what the examples say beyond their format, as Turtle, by the UUID of the passport."""
    files = {example.passport: SUPPLEMENTS / f"{example.name}.ttl" for example in examples()}
    return {passport: path.read_bytes() for passport, path in files.items() if path.exists()}


def main(folder: Path) -> None:
    """Write what is made from the tables into a folder."""
    for name, text in example_texts():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
