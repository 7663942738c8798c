"""`python -m benchmarks`: every benchmark script and every seeded test campaign, at full count.

Results land in `benchmarks/results/`, one file per claim, and the figures in the pages are written anew from
them. The exit status is 1 if any of them failed.
"""

import argparse
import os
import subprocess
import sys

from benchmarks import figures
from benchmarks.campaigns import RESULTS, ROOT, SEED

FRAME = {"__init__", "__main__", "bare", "campaigns", "copies", "figures", "harness"}


def scripts() -> list[str]:
    """Return the names of the benchmark scripts."""
    return sorted(path.stem for path in (ROOT / "benchmarks").glob("*.py") if path.stem not in FRAME)


def main() -> int:
    """Run all, print each one's lines as they come, and say at the end which failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--only", nargs="*", choices=[*scripts(), "tests"], help="names; default: all")
    options = parser.parse_args()
    environment = os.environ | {"BATTPASS_CAMPAIGN": "full", "BATTPASS_CAMPAIGN_SEED": str(options.seed)}
    commands = {name: [sys.executable, "-m", f"benchmarks.{name}"] for name in scripts()}
    commands["tests"] = [sys.executable, "-m", "pytest", "-m", "campaign", "-n", "auto"]
    failed = []
    for name in options.only or commands:
        print(f"== {name}", flush=True)
        if subprocess.run(commands[name], cwd=ROOT, env=environment, check=False).returncode:
            failed.append(name)
    figures.main()
    print(f"{len(list(RESULTS.glob('*.json')))} result files in {RESULTS.relative_to(ROOT)}")
    if failed:
        print(f"failed: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
