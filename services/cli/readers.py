"""The intake that a command reads documents with: one of its own, or one that it was lent."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from battpass.services.cli.console import Console

if TYPE_CHECKING:
    from battpass.services.exchange.intake import Intake


@contextmanager
def reading_documents(out: Console) -> Iterator[Intake]:
    """Lend an intake with a worker to each processor, and end its workers afterwards."""
    from battpass.services.exchange.intake import Intake

    if out.intake is not None:
        yield out.intake
    else:
        with Intake(workers=os.cpu_count() or 1) as intake:
            yield intake
