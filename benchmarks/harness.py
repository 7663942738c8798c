"""The frame of a benchmark: ours and a rival on the same work, in the same run, one after the other.

A script is one claim. It says what both sides do, and hands both to `compare`:

    from benchmarks.harness import Comparison, compare, script
    from benchmarks.campaigns import Campaign

    def measure(campaign: Campaign) -> list[Comparison]:
        payloads = fleet(campaign.count(1_000), campaign.seed)
        ours, rival = ("battpass", lambda: ...), ("fastjsonschema", lambda: ...)
        return [compare("map and validate", ours, rival, items=len(payloads))]

    if __name__ == "__main__":
        script(__file__, measure, source="demo fleet")
"""

import argparse
import gc
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from time import perf_counter

from benchmarks.campaigns import Campaign, from_environment

Contender = tuple[str, Callable[[], object]]


@dataclass(frozen=True, slots=True)
class Timing:
    """One side: the seconds of each round, and the median per item."""

    name: str
    seconds: tuple[float, ...]
    items: int

    @property
    def per_second(self) -> float:
        """Return items per second in the median round."""
        return self.items / median(self.seconds)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two sides on the same work. `ratio` over 1 means that ours is that many times as fast.

    The ratio is the median over rounds of rival time / our time; each pair ran one right after the
    other, so a busy moment of the machine weighs on both.
    """

    case: str
    ours: Timing
    rival: Timing

    @property
    def ratios(self) -> tuple[float, ...]:
        """Return rival seconds / our seconds, round by round."""
        return tuple(b / a for a, b in zip(self.ours.seconds, self.rival.seconds, strict=True))

    @property
    def ratio(self) -> float:
        """Return the median of the ratios."""
        return median(self.ratios)

    def text(self) -> str:
        """Return the comparison as one line."""
        low, high = min(self.ratios), max(self.ratios)
        return (
            f"{self.case}: {self.ours.name} {_rate(self.ours)}, {self.rival.name} {_rate(self.rival)}, "
            f"ratio {self.ratio:.2f} ({low:.2f} to {high:.2f})"
        )

    def figures(self) -> dict[str, object]:
        """Return the comparison as members of a result file."""
        sides = {
            key: asdict(side) | {"median_s": median(side.seconds), "per_second": side.per_second}
            for key, side in (("ours", self.ours), ("rival", self.rival))
        }
        return {
            "case": self.case,
            **sides,
            "ratio": self.ratio,
            "ratio_low": min(self.ratios),
            "ratio_high": max(self.ratios),
        }


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure without a rival: a count or a size, with its unit."""

    case: str
    value: float
    unit: str
    more: Mapping[str, object] = field(default_factory=dict)

    def text(self) -> str:
        """Return the figure as one line."""
        return f"{self.case}: {self.value:,.6g} {self.unit}"

    def figures(self) -> dict[str, object]:
        """Return the figure as members of a result file."""
        return {"case": self.case, "value": self.value, "unit": self.unit, **self.more}


def compare(case: str, ours: Contender, rival: Contender, *, items: int, rounds: int = 7) -> Comparison:
    """Time both sides on the same `items`, interleaved, after one round each that does not count.

    Which side goes first changes from round to round, so that neither always meets warm caches.
    """
    sides = (ours, rival)
    seconds: tuple[list[float], list[float]] = ([], [])
    for _, work in sides:
        work()
    for turn in range(rounds):
        for side in (0, 1) if turn % 2 == 0 else (1, 0):
            seconds[side].append(_seconds(sides[side][1]))
    return Comparison(
        case, Timing(ours[0], tuple(seconds[0]), items), Timing(rival[0], tuple(seconds[1]), items)
    )


def script(
    file: str,
    measure: Callable[[Campaign], Sequence[Comparison | Measure]],
    source: str,
    arguments: Sequence[str] | None = None,
) -> None:
    """Run a benchmark script from the command line: print each row, and with --full write the result file."""
    chosen = from_environment()
    parser = argparse.ArgumentParser(description=sys.modules[measure.__module__].__doc__)
    parser.add_argument("--full", action="store_true", default=chosen.full, help="full count, kept as a file")
    parser.add_argument("--seed", type=int, default=chosen.seed)
    parser.add_argument("--results", type=Path, default=chosen.results, help="folder for the result file")
    options = parser.parse_args(arguments)
    campaign = Campaign(options.seed, options.full, options.results)
    rows = measure(campaign)
    for row in rows:
        print(row.text())
    if path := campaign.record(Path(file).stem, source, [row.figures() for row in rows]):
        print(f"written: {path}")


def _seconds(work: Callable[[], object]) -> float:
    gc.collect()  # a collection of what the other side left behind is not our time
    start = perf_counter()
    work()
    return perf_counter() - start


def _rate(side: Timing) -> str:
    return f"{side.per_second:,.4g}/s"
