"""Where passports are kept: in memory, or in one plain folder. Start at `home.py`."""

from battpass.kg.home.home import Home
from battpass.kg.home.shelf import Arrival, Kept, Outcome

__all__ = ["Arrival", "Home", "Kept", "Outcome"]
