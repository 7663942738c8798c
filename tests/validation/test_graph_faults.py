"""Planted faults of graphs are found at their nodes, in the words of the table, and nothing else is."""

import pytest

from tests.validation.seeded_graphs import (
    GraphFault,
    graph_faults,
    graph_key,
    graph_runs,
    play_graph,
    unfaulted_graph,
)


@pytest.mark.parametrize("run", graph_runs(), ids=lambda run: run[0].run)
def test_each_fault_of_a_run_is_found_at_its_node_and_nothing_else_is(run: tuple[GraphFault, ...]) -> None:
    before = unfaulted_graph(run[0].on)
    findings = play_graph(run).findings
    fresh = {graph_key(finding): finding for finding in findings if graph_key(finding) not in before}

    expected = {fault.key: fault for fault in run}
    follows = {key for fault in run for key in fault.follows}
    missed = {key: fault.fault for key, fault in expected.items() if key not in fresh}
    alarms = {key: finding.text() for key, finding in fresh.items() if key not in expected.keys() | follows}
    assert not missed and not alarms, f"missed: {missed}; false alarms: {alarms}"
    assert follows <= fresh.keys(), f"not found, though promised: {follows - fresh.keys()}"
    for key, fault in expected.items():
        assert fault.says in fresh[key].text(), (fault.fault, fresh[key].text())
    for finding in fresh.values():
        assert all((finding.field, finding.found, finding.allowed, finding.mend, finding.clause)), finding
        assert all((finding.field_de, finding.found_de, finding.allowed_de, finding.mend_de)), finding


def test_no_fault_of_a_graph_is_in_the_table_twice() -> None:
    table = graph_faults()

    assert len({fault.update for fault in table}) == len(table)
    assert all(fault.says for fault in table)
