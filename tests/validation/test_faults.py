"""Planted faults are found where they are, and nothing else is found because of them."""

import pytest

from tests.validation.seeded import Fault, faults, key_of, play, runs, unfaulted


@pytest.mark.parametrize("run", runs(), ids=lambda run: f"{run[0].example}-{run[0].run}")
def test_each_fault_of_a_run_is_found_at_its_place_and_nothing_else_is(run: tuple[Fault, ...]) -> None:
    before = unfaulted(run[0].example, run[0].on)
    found = [finding for finding in play(run) if key_of(finding) not in before]
    fresh = {key_of(finding): finding for finding in found}

    expected = {fault.key: fault.fault for fault in run}
    follows = {key for fault in run for key in fault.follows}
    missed = {key: fault for key, fault in expected.items() if key not in fresh}
    alarms = {key: finding.text() for key, finding in fresh.items() if key not in expected.keys() | follows}
    assert not missed and not alarms, f"missed: {missed}; false alarms: {alarms}"
    assert follows <= fresh.keys(), "the table promises consequences that are not found"
    for fault in run:
        texts = [finding.text() for finding in found if key_of(finding) == fault.key]
        assert fault.says and any(fault.says in text for text in texts), (fault.fault, texts)
    for finding in fresh.values():
        assert all((finding.field, finding.pointer, finding.found, finding.allowed, finding.mend)), finding


def test_the_table_holds_at_least_150_faults_of_every_kind() -> None:
    table = faults()

    assert len(table) >= 150
    assert len({(fault.example, fault.run, fault.place, fault.change) for fault in table}) == len(table)
    assert {fault.code for fault in table} >= {
        "wrong-type", "wrong-unit", "unknown-unit", "out-of-range", "missing", "unknown-code", "sum",
        "order", "ill-formed", "duplicate", "implausible", "bad-date", "bad-time", "limit", "due",
    }  # fmt: skip
