"""The stamp of a dataset on disk: what it was made from."""

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

from battpass.kg.resources import ontology_path

STAMP = "stamp.json"


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a dataset was made from."""

    sequence: int
    hash: str
    ontology: str

    def text(self) -> str:
        """Return the stamp as it is written, with a digest of its own."""
        content = json.dumps([self.sequence, self.hash, self.ontology])
        return json.dumps({"stamp": content, "digest": hashlib.sha256(content.encode()).hexdigest()}) + "\n"

    @classmethod
    def read(cls, path: Path) -> "Stamp | None":
        """Return the stamp of a file, None where there is none that can be trusted."""
        try:
            found = json.loads(path.read_bytes())
            if hashlib.sha256(found["stamp"].encode()).hexdigest() != found["digest"]:
                return None
            return cls(*json.loads(found["stamp"]))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None

    def write(self, path: Path) -> None:
        """Put the stamp on disk, whole or not at all."""
        aside = path.with_name(f"{path.name}.tmp")
        with aside.open("w", encoding="utf-8") as file:
            file.write(self.text())
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)


def ontology_digest() -> str:
    """Return the digest of the tables and terms that datasets are built with."""
    found = hashlib.sha256()
    for path in sorted(ontology_path().glob("*.*")):
        found.update(path.read_bytes())
    return found.hexdigest()[:16]
