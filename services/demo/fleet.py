"""A fleet of any size: which batteries are out there, how old they are and how much they were used.

Battery number n of a seed is the same in every fleet that is large enough to hold it: each draws from
its own generator, seeded with the fleet's seed and its number. Only `Random.random` and `getrandbits`
are used, whose sequence Python promises to keep.
"""

from bisect import bisect
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate, chain, islice
from math import log
from random import Random
from typing import Any
from uuid import UUID

from battpass.services.demo.catalogue import BatteryModel, Catalogue
from battpass.services.demo.condition import Condition, fade_percent
from battpass.services.demo.examples import example_batteries
from battpass.services.demo.passport import Battery, PassportBuilder

SNAPSHOT = date(2026, 11, 15)  # the newest reading in the fleet; nothing depends on today's date
PASSPORTS_FROM = date(2024, 9, 2)  # older batteries got a passport in the pilot phase
YEAR = 365.25

# What happens to any battery, what only to those of a category, and what only to those of modules.
EVENTS = (
    "Water in the connector; dried and tested",
    "Deep discharge after long standstill",
    "Overcharge stopped by the management system",
)
EVENTS_BY_CATEGORY = {
    "EV": (
        "Impact from below; housing inspected, no damage to cells",
        "Minor crash; high-voltage system shut down as designed",
    ),
    "LMT": ("Fall onto the road; housing inspected, no damage to cells",),
    "industrial": ("Overheated for some hours; power was reduced as designed",),
}
MODULE_EVENT = "Module replaced after a cell voltage drifted"


def demo_payloads(size: int, seed: int) -> Iterator[dict[str, Any]]:
    """Yield `size` passports of the demo: the published examples first, then a generated fleet."""
    catalogue = Catalogue.load()
    builder = PassportBuilder(catalogue)
    examples = (builder.payload(battery) for battery in example_batteries(catalogue))
    return islice(chain(examples, fleet(size, seed)), size)


def fleet(size: int, seed: int) -> Iterator[dict[str, Any]]:
    """Yield `size` passports as `battery_pass` 6.1.0 payloads, ready for `json.dumps`.

    >>> [payload["identification"]["category"] for payload in fleet(3, seed=1)]
    ['industrial', 'LMT', 'EV']
    """
    catalogue = Catalogue.load()
    builder = PassportBuilder(catalogue)
    pick = _ModelPicker(tuple(catalogue.models.values()))
    for number in range(size):
        draw = Draw(seed, number)
        yield builder.payload(_battery(pick(draw), catalogue, draw, number))


class Draw:
    """The random numbers of one battery."""

    def __init__(self, seed: int, number: int) -> None:
        self._random = Random(f"{seed}/{number}")

    def share(self) -> float:
        """Return a number from 0 up to, not including, 1."""
        return self._random.random()

    def between(self, low: float, high: float) -> float:
        """Return a number between two bounds, each as likely as any other."""
        return low + (high - low) * self.share()

    def whole(self, low: int, high: int) -> int:
        """Return a whole number between two bounds, both included."""
        return low + int(self.share() * (high - low + 1))

    def happens(self, chance: float) -> bool:
        """Return True in that share of cases."""
        return self.share() < chance

    def around_one(self, spread: float) -> float:
        """Return a factor near 1: the mean of three even draws, wide by `spread` to either side."""
        return 1 + spread * (2 * (self.share() + self.share() + self.share()) / 3 - 1)

    def waiting(self, mean: float) -> float:
        """Return a waiting time (exponential)."""
        return -mean * log(1 - self.share())

    def uuid(self) -> str:
        """Return a random UUID (version 4)."""
        return str(UUID(int=self._random.getrandbits(128), version=4))


class _ModelPicker:
    """Draws models by their share in the fleet."""

    def __init__(self, models: tuple[BatteryModel, ...]) -> None:
        self._models = models
        self._bounds = list(accumulate(model.fleet_share for model in models))

    def __call__(self, draw: Draw) -> BatteryModel:
        return self._models[bisect(self._bounds, draw.share() * self._bounds[-1])]


@dataclass(frozen=True, slots=True)
class _Dates:
    manufactured: date
    placed_on_market: date
    into_service: date | None
    issued: date
    expires: date
    counted_at: datetime
    tested_at: datetime

    def years_in_use(self) -> float:
        return 0.0 if self.into_service is None else (self.tested_at.date() - self.into_service).days / YEAR


def _battery(model: BatteryModel, catalogue: Catalogue, draw: Draw, number: int) -> Battery:
    maker = catalogue.maker_of(model)
    dates = _dates(model, draw)
    condition, status = _condition(model, catalogue, dates, draw)
    week = dates.manufactured.isocalendar()
    stem = model.part_number.rsplit("-", 1)[0]
    others = [other.bpnl for other in catalogue.makers.values() if other != maker]
    passport_status = _passport_status(status, draw)
    changed_hands = status in ("re-used", "remanufactured")
    return Battery(
        model=model.model,
        passport=draw.uuid(),
        predecessor=draw.uuid() if changed_hands or model.origin else "",
        serial=f"{stem}-{dates.manufactured:%y%m}-{number:06d}",
        batch=f"{stem}-{week.year}W{week.week:02d}",
        operator=others[draw.whole(0, len(others) - 1)] if changed_hands else maker.bpnl,
        manufactured=dates.manufactured,
        placed_on_market=dates.placed_on_market,
        into_service=dates.into_service,
        issued=dates.issued,
        # A passport that has expired did so before today, and after its last change.
        expires=dates.counted_at.date() + timedelta(days=1)
        if passport_status == "expired"
        else dates.expires,
        counted_at=dates.counted_at,
        tested_at=dates.tested_at,
        status=status,
        passport_status=passport_status,
        version=f"1.{draw.whole(0, 4)}.{draw.whole(0, 9)}",
        condition=condition,
        events=_events(model, condition, draw),
    )


def _dates(model: BatteryModel, draw: Draw) -> _Dates:
    """Order the days of a battery's life: made, sold, put into service, given a passport, tested, read."""
    last_made = min(date(model.made_to, 12, 31), SNAPSHOT - timedelta(days=70))
    made = _day_between(date(model.made_from, 1, 8), last_made, draw)
    placed = made + timedelta(days=draw.whole(5, 45))
    in_use_from = placed + timedelta(days=draw.whole(0, 120))
    into_service = in_use_from if in_use_from < SNAPSHOT - timedelta(days=14) else None
    read = SNAPSHOT - timedelta(days=min(int(draw.waiting(25)), 300))
    counted = max(read, (into_service or placed) + timedelta(days=7))
    tested = max(counted - timedelta(days=draw.whole(1, 90)), (into_service or placed) + timedelta(days=1))
    issued = placed if placed > PASSPORTS_FROM else PASSPORTS_FROM + timedelta(days=draw.whole(0, 400))
    issued = min(issued, tested)
    return _Dates(
        manufactured=made,
        placed_on_market=placed,
        into_service=into_service,
        issued=issued,
        expires=date(issued.year + model.life_years + 5, issued.month, min(issued.day, 28)),
        counted_at=_at_some_time(counted, draw),
        tested_at=_at_some_time(tested, draw),
    )


def _condition(model: BatteryModel, catalogue: Catalogue, dates: _Dates, draw: Draw) -> tuple[Condition, str]:
    """Draw use and stress, age the battery by them, and tell what became of it."""
    chemistry = catalogue.chemistry_of(model)
    years = dates.years_in_use()
    cycles = int(model.cycles_per_year * years * draw.around_one(0.7))
    fade = fade_percent(model, chemistry, years, cycles, draw.around_one(0.45))
    status = "repurposed" if model.origin else "original"
    worn_out = fade > 100 - model.exhaustion_percent and draw.happens(0.7)
    wrecked = years > 0.5 and draw.happens(0.015)
    if worn_out or wrecked:
        status = "waste"
    elif years > 3 and not model.origin and draw.happens(0.05):
        status = "re-used"
    elif years > 3 and not model.origin and draw.happens(0.04):
        # Art. 3(32): remanufacturing brings the capacity back to at least 90 % of the rated one.
        status, fade = "remanufactured", min(fade, draw.between(2.0, 9.5))
    rise = fade * chemistry.rise_per_fade * draw.around_one(0.3)
    charge = round(draw.between(10, 40) if status == "waste" else draw.between(12, 100), 1)
    return Condition.of(model, chemistry, cycles, round(fade, 3), round(rise, 3), charge), status


def _passport_status(status: str, draw: Draw) -> str:
    if status == "waste":
        return "expired" if draw.happens(0.4) else "approved"
    return "draft" if draw.happens(0.03) else "approved"


def _events(model: BatteryModel, condition: Condition, draw: Draw) -> tuple[str, ...]:
    """A battery in use meets an event about once in some hundred cycles; most meet none."""
    events = EVENTS + EVENTS_BY_CATEGORY[model.category]
    if model.resistance_module_ohm is not None:
        events += (MODULE_EVENT,)
    chance = 0.04 + 0.00015 * min(condition.full_cycles, 1500)
    first, second = draw.share(), draw.share()
    names = [events[int(share * 997) % len(events)] for share in (first, second) if share < chance]
    return tuple(dict.fromkeys(names)) if condition.full_cycles else ()


def _day_between(first: date, last: date, draw: Draw) -> date:
    return first + timedelta(days=draw.whole(0, (last - first).days))


def _at_some_time(day: date, draw: Draw) -> datetime:
    seconds = draw.whole(5 * 3600, 21 * 3600)
    return datetime.combine(day, time(tzinfo=UTC)) + timedelta(seconds=seconds)
