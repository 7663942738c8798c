"""A process that fills a home with a bit of all and is killed: `python -m tests.durability.dying HOME`.

Its last words are `token TOKEN`, an API key of the home.
"""

import os
import signal
import sys
from pathlib import Path

from battpass.kg.home import Home, Stage
from battpass.kg.keys import KeyRing
from tests.durability import material

AUDIENCE = "public"


def main(folder: Path) -> None:
    """Leave a home with drafts, changes, publications, archived and erased passports, keys, a dataset."""
    with Home.open(folder, create=True) as home:
        ring = KeyRing(folder / "keys.sqlite")
        token = ring.create("owner", ["write"], "A person").token
        ring.revoke(ring.create("authority", ["read"], "Another person").key.id)
        for number in range(8):
            home.put(material.arrival(number, "first"), stage=Stage.DRAFT, actor="somebody", reason="A draft")
        for number in range(5):
            home.publish(material.record_name(number), report=material.report("first"))
        for number in (6, 7):
            home.put(material.arrival(number, "second", checked=True), actor="somebody")
        home.dataset(AUDIENCE)
    home = Home.open(folder)  # what is written from here on stands in the logs
    home.put(material.arrival(0, "second", checked=True))
    home.put(material.arrival(1, "second"), stage=Stage.DRAFT)
    home.archive(material.record_name(2), reason="Recycled")
    home.archive(material.record_name(3))
    home.erase(material.record_name(3))
    home.put(material.arrival(4, "third"), stage=Stage.DRAFT)
    home.put(material.arrival(9, "only"), stage=Stage.DRAFT)
    home.publish(material.record_name(4), report=material.report("third"))
    home.dataset(AUDIENCE)
    home.put(material.arrival(0, "third", checked=True))
    home.archive(material.record_name(7))
    sys.stdout.write(f"token {token}\n")
    sys.stdout.flush()
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
