"""Where passports are kept: in memory, or in one folder. Start at `home.py`."""

from battpass.kg.home.arrival import Arrival, State, Written
from battpass.kg.home.home import Home
from battpass.kg.journal.entry import Entry, Stage
from battpass.kg.policy import Policy

__all__ = ["Arrival", "Entry", "Home", "Policy", "Stage", "State", "Written"]
