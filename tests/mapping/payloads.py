"""Random payloads of a JSON schema (draft-04, as the partner models publish them)."""

import json
import string
from pathlib import Path
from random import Random
from typing import Any

from battpass.kg.jsontext import Json, Number

MAX_ITEMS = 4

# One example for each pattern of the schemas; a pattern without one fails loudly.
PATTERNS = {
    r"^BPNL[a-zA-Z0-9]{12}$": lambda draw: "BPNL" + _word(draw, 12, string.ascii_letters + string.digits),
    r"^BPNA[a-zA-Z0-9]{12}$": lambda draw: "BPNA" + _word(draw, 12, string.ascii_letters + string.digits),
    r"^\d{4}-\d{2}-\d{2}$": lambda draw: (
        f"{draw.randint(0, 9999):04}-{draw.randint(0, 99):02}-{draw.randint(0, 99):02}"
    ),
    r"[a-zA-Z]*:[a-zA-Z]+": lambda draw: "unit:" + _word(draw, 5, string.ascii_letters),
}


class Payloads:
    """Draws documents that a schema allows: arrays of 0 to 4 items, optional members now and then absent."""

    def __init__(self, schema: Path, draw: Random) -> None:
        self.schema = json.loads(schema.read_text(encoding="utf-8"))
        self.draw = draw

    def document(self) -> Json:
        return self._value(self.schema)

    def _value(self, node: dict[str, Any]) -> Json:
        while "$ref" in node:
            node = self.schema["components"]["schemas"][node["$ref"].rpartition("/")[2]]
        match node["type"]:
            case "object":
                return self._object(node)
            case "array":
                return [self._value(node["items"]) for _ in range(self.draw.randint(0, MAX_ITEMS))]
            case "number":
                return self._number(node)
            case "boolean":
                return self.draw.random() < 0.5
            case "string":
                return self._string(node)
        raise AssertionError(node["type"])

    def _object(self, node: dict[str, Any]) -> dict[str, Json]:
        required = set(node.get("required", ()))
        names = [name for name in node["properties"] if name in required or self.draw.random() < 0.6]
        self.draw.shuffle(names)
        return {name: self._value(node["properties"][name]) for name in names}

    def _number(self, node: dict[str, Any]) -> Number:
        low, high = node.get("minimum", -1e6), node.get("maximum", 1e6)
        value = self.draw.uniform(low, high)
        spelling = self.draw.choice(["{:.0f}", "{:.1f}", "{:.2f}0", "{:r}", "{:.3e}", "{:.12f}"])
        return Number(repr(value) if spelling == "{:r}" else spelling.format(value))

    def _string(self, node: dict[str, Any]) -> str:
        if "enum" in node:
            return str(self.draw.choice(node["enum"]))
        if "pattern" in node:
            if "customKey" in node["pattern"]:
                return self.draw.choice(
                    ["manufacturerId", "batchId", "customKey:" + _word(self.draw, 4, "abc_")]
                )
            if "[0-9a-fA-F]{8}" in node["pattern"]:
                return self.draw.choice(["", "urn:uuid:"]) + _uuid(self.draw)
            if "T(([01]" in node["pattern"]:
                return self._time()
            return PATTERNS[node["pattern"]](self.draw)
        letters = string.printable + "äßéλ中\U0001f50b\u0000\u202e"
        return _word(self.draw, self.draw.randint(0, min(20, node.get("maxLength", 20))), letters)

    def _time(self) -> str:
        draw = self.draw
        fraction = draw.choice(["", ".5", ".500", ".123456789"])
        zone = draw.choice(["", "Z", "+00:00", "-03:30", "+14:00"])
        return (
            f"{draw.randint(1, 9999):04}-{draw.randint(1, 12):02}-{draw.randint(1, 31):02}"
            f"T{draw.randint(0, 23):02}:{draw.randint(0, 59):02}:{draw.randint(0, 59):02}{fraction}{zone}"
        )


def _word(draw: Random, length: int, letters: str) -> str:
    return "".join(draw.choice(letters) for _ in range(length))


def _uuid(draw: Random) -> str:
    return "-".join(_word(draw, length, "0123456789abcdefABCDEF") for length in (8, 4, 4, 4, 12))
