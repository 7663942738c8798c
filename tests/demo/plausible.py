"""What must hold in any payload of the demo, checked on the payload alone."""

from typing import Any

import pytest

NIL = "urn:uuid:00000000-0000-0000-0000-000000000000"


def assert_plausible(payload: dict[str, Any]) -> None:
    """Check dates, fades, sums and ranges of one passport."""
    _dates(payload)
    _performance(payload["performance"]["rated"], payload["performance"]["dynamic"])
    _materials(payload["materials"])
    _hazards(payload["materials"])
    _footprint(payload["sustainability"]["carbonFootprint"])
    changed = payload["sustainability"]["status"] in ("repurposed", "re-used", "remanufactured")
    if changed:
        assert payload["metadata"]["predecessor"] != NIL, "Art. 77(7): a changed status links the passports"


def _dates(payload: dict[str, Any]) -> None:
    metadata, operation = payload["metadata"], payload["operation"]
    tested = payload["performance"]["dynamic"]["capacity"]["fade"]["time"]
    counted = payload["performance"]["dynamic"]["stateOfCharge"]["time"]
    made, placed = operation["manufacturer"]["manufacturingDate"], payload["commercial"]["placedOnMarket"]
    used = operation.get("intoServiceDate", placed)
    assert made <= placed <= used < tested < counted or used == placed <= tested < counted
    assert placed <= metadata["issueDate"] <= metadata["lastModification"] < metadata["expirationDate"]
    assert metadata["lastModification"] == counted[:10] <= "2026-11-15"
    if metadata["status"] == "expired":
        assert metadata["expirationDate"] <= "2026-11-16"


def _performance(rated: dict[str, Any], dynamic: dict[str, Any]) -> None:
    voltage, capacity, now = rated["voltage"], rated["capacity"]["value"], dynamic["capacity"]
    assert voltage["min"] < voltage["nominal"] < voltage["max"]
    assert rated["energy"]["value"] == pytest.approx(voltage["nominal"] * capacity / 1000, rel=0.05)
    for fade, left, new in (
        (now["fade"], now["capacity"], capacity),
        (dynamic["power"]["fade"], dynamic["power"]["remaining"], rated["power"]["value"]),
        (
            dynamic["roundTripEfficiency"]["fade"],
            dynamic["roundTripEfficiency"]["remaining"],
            rated["roundTripEfficiency"]["initial"],
        ),
    ):
        assert 0 <= left["value"] <= new
        assert fade["value"] == pytest.approx(100 * (1 - left["value"] / new), abs=0.006)
        assert fade["time"] == left["time"]
    for level, increase in dynamic["resistance"]["increase"].items():
        ohm = dynamic["resistance"]["remaining"][level]["value"]
        assert increase["value"] == pytest.approx(100 * (ohm / rated["resistance"][level] - 1), abs=0.06)
        assert ohm >= 0.0001
    cycles = dynamic["fullCycles"]["value"]
    assert isinstance(cycles, int)
    # What came out, and what went in: the same charge, or a seventh more where gas was made of it.
    moved = now["throughput"]["value"] - cycles * capacity
    assert cycles * capacity - 0.1 <= moved <= 1.15 * cycles * capacity + 0.1
    efficiency = (
        rated["roundTripEfficiency"]["initial"] + dynamic["roundTripEfficiency"]["remaining"]["value"]
    ) / 200
    assert dynamic["energy"]["throughput"]["value"] == pytest.approx(
        cycles * rated["energy"]["value"] * (1 + 1 / efficiency), rel=0.05, abs=0.1
    )
    assert 0 < dynamic["energy"]["remaining"]["value"] <= rated["energy"]["value"]
    assert 0 < dynamic["energy"]["soce"]["value"] <= 100
    assert 0 < dynamic["stateOfCharge"]["value"] <= 100
    assert dynamic["selfDischargingRate"] >= rated["selfDischargingRate"]


def _materials(materials: dict[str, Any]) -> None:
    shares = [row["concentration"] for row in materials["composition"]]
    assert all(row["unit"] == "unit:percent" for row in materials["composition"])
    assert 70 <= sum(shares) <= 100 and all(share > 0 for share in shares)
    for row in (*materials["composition"], *_active(materials["active"])):
        assert 0 <= row["recycled"] <= 100


def _hazards(materials: dict[str, Any]) -> None:
    """Hold the share of a hazardous substance to its share in the composition."""
    shares = {row["id"][0]["id"]: row["concentration"] for row in materials["composition"]}
    for row in materials["hazardous"].get("other", []):
        in_one_percent = {"unit:percent": 1, "unit:partPerThousand": 10}[row["materialUnit"]]
        share = shares[row["materialIdentification"][0]["id"]]
        assert row["concentration"] / in_one_percent == pytest.approx(share, abs=0.051)


def _active(active: dict[str, Any]) -> list[dict[str, Any]]:
    return [*(active[name] for name in ("nickel", "lithium", "cobalt", "lead")), *active.get("other", [])]


def _footprint(declarations: list[dict[str, Any]]) -> None:
    values = {row["lifecycle"]: row["value"] for row in declarations}
    whole = values.pop("whole life cycle")
    assert len(values) == 4 and sum(values.values()) == pytest.approx(whole, abs=1e-9)
