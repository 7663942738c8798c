"""Seeds, counts and result files, shared by the benchmark scripts and the tests that draw random cases.

A campaign runs at full count (`BATTPASS_CAMPAIGN=full`, `make campaign`) or at one twentieth of it, which
is what every test run does. The seed is printed and can be given, so each failure can be run again.
"""

import json
import os
import platform
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from random import Random

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
SEED = 20270218  # the day from which the regulation asks for battery passports
SHORT = 20  # a short run draws one case in twenty


@dataclass(frozen=True, slots=True)
class Campaign:
    """How many cases to draw, from which seed, and where the figures go."""

    seed: int = SEED
    full: bool = False
    results: Path = RESULTS

    def count(self, full: int) -> int:
        """Return how many of `full` cases this run draws: all, or one in twenty and at least one.

        >>> Campaign(full=True).count(200), Campaign().count(200), Campaign().count(3)
        (200, 10, 1)
        """
        return full if self.full else max(1, -(-full // SHORT))

    def random(self, name: str) -> Random:
        """Return a generator of its own for each `name`: cases do not shift when another test is added."""
        return Random(f"{self.seed}/{name}")

    def record(self, name: str, source: str, figures: object) -> Path | None:
        """Write the figures of a full run to `results/NAME.json`; a short run keeps none and returns None.

        `source` says what the figures were measured on, for example "examples/*.json" or "demo fleet of
        1,000, seed 7". Beside them stand the commit, the seed, the machine and the versions in use.
        """
        if not self.full:
            return None
        self.results.mkdir(parents=True, exist_ok=True)
        path = self.results / f"{name}.json"
        page = {
            "name": name,
            "made": datetime.now(UTC).isoformat(timespec="seconds"),
            "commit": commit(),
            "seed": self.seed,
            "source": source,
            "machine": machine(),
            "versions": versions(),
            "figures": figures,
        }
        path.write_text(json.dumps(page, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        return path


def from_environment(environment: Mapping[str, str] = os.environ) -> Campaign:
    """Return the campaign that the environment asks for: BATTPASS_CAMPAIGN=full, BATTPASS_CAMPAIGN_SEED."""
    return Campaign(
        seed=int(environment.get("BATTPASS_CAMPAIGN_SEED", SEED)),
        full=environment.get("BATTPASS_CAMPAIGN", "") == "full",
    )


def commit() -> str:
    """Return the commit that was measured, with "+changes" where the tree holds more than it."""

    def git(*arguments: str) -> str:
        done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
        return done.stdout.strip()

    # Result files are what a campaign writes; they do not change what it measures.
    changed = git("status", "--porcelain", "--", ".", ":!benchmarks/results")
    return (git("rev-parse", "--short=12", "HEAD") or "no commit") + ("+changes" if changed else "")


def machine() -> dict[str, str | int | float]:
    """Return what the figures depend on: processor, cores, memory, system, Python; nothing that names it."""
    cpuinfo = Path("/proc/cpuinfo")
    model = re.search(r"model name\s*: (.+)", cpuinfo.read_text()) if cpuinfo.exists() else None
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "processor": model[1] if model else platform.machine(),
        "cores": os.cpu_count() or 1,
        "memory_gib": round(memory, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }


def versions() -> dict[str, str]:
    """Return the installed version of every library that battpass or its tests ask for."""
    names = {re.split(r"[^\w.-]", line, maxsplit=1)[0] for line in metadata.requires("battpass") or ()}
    installed = {dist.name.lower(): dist.version for dist in metadata.distributions()}
    return {name: installed[name.lower()] for name in sorted(names) if name.lower() in installed}
