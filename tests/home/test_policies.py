"""What becomes of a write with violations: nothing, a draft, or what it was meant to be, by the policy."""

from dataclasses import replace

import pytest

from battpass.kg.errors import Rejected, Unpublishable
from battpass.kg.home import Home, Policy, Stage
from battpass.kg.home.staging import stage_of
from tests.durability.material import REPORT, arrival

GOOD = REPORT % b"good"
BAD = GOOD.replace(b'"blocking":false', b'"blocking":true').replace(
    b'"findings":[]', b'"findings":[{"severity":"violation"},{"severity":"info"}]'
)
DRAFT, PUBLISHED = Stage.DRAFT, Stage.PUBLISHED


@pytest.mark.parametrize(
    ("policy", "report", "meant", "becomes"),
    [
        (None, BAD, DRAFT, DRAFT),
        (None, BAD, PUBLISHED, Unpublishable),
        (None, b"", DRAFT, DRAFT),
        (None, b"", PUBLISHED, Unpublishable),
        (Policy.REJECT, BAD, DRAFT, Rejected),
        (Policy.REJECT, BAD, PUBLISHED, Rejected),
        (Policy.REJECT, b"", DRAFT, Rejected),
        (Policy.REJECT, b"", PUBLISHED, Rejected),
        (Policy.QUARANTINE, BAD, DRAFT, DRAFT),
        (Policy.QUARANTINE, BAD, PUBLISHED, DRAFT),
        (Policy.QUARANTINE, b"", PUBLISHED, Unpublishable),
        (Policy.RECORD, BAD, DRAFT, DRAFT),
        (Policy.RECORD, BAD, PUBLISHED, PUBLISHED),
        (Policy.RECORD, b"", PUBLISHED, Unpublishable),
        *((policy, GOOD, stage, stage) for policy in (None, *Policy) for stage in (DRAFT, PUBLISHED)),
    ],
)
def test_the_policy_decides_in_which_stage_it_is_kept(policy, report, meant, becomes) -> None:
    if isinstance(becomes, Stage):
        assert stage_of("r", report, meant, policy) is becomes
        return
    with pytest.raises(becomes) as told:
        stage_of("r", report, meant, policy)
    assert type(told.value) is becomes and told.value.report == report


def test_of_many_that_are_rejected_nothing_is_kept() -> None:
    with Home.in_memory() as home:
        many = [replace(arrival(0, "a"), report=GOOD), replace(arrival(1, "a"), report=BAD)]
        with pytest.raises(Rejected, match="Mend them"):
            home.put_many(many, stage=DRAFT, policy=Policy.REJECT)
        assert home.sequence == 0


def test_quarantine_keeps_the_bad_as_drafts_beside_the_good_in_one_write() -> None:
    with Home.in_memory() as home:
        home.put(replace(arrival(1, "before"), report=GOOD))
        many = [replace(arrival(0, "a"), report=GOOD), replace(arrival(1, "a"), report=BAD)]
        good, bad = home.put_many(many, policy=Policy.QUARANTINE)
        assert (good.stage, bad.stage) == (PUBLISHED, DRAFT)
        assert home.journal.standing(bad.record).keys() == {PUBLISHED, DRAFT}
        assert home.entry(bad.record, "public").version == 1


def test_what_is_recorded_is_published_and_its_version_says_so() -> None:
    with Home.in_memory() as home:
        done = home.put(replace(arrival(0, "a"), report=BAD), policy=Policy.RECORD)
        entry = home.entry(done.record)
        assert (done.stage, home.violations(entry), home.report(done.record)) == (PUBLISHED, 1, BAD)
        draft = home.put(replace(arrival(1, "a"), report=BAD), stage=DRAFT)
        for policy in (None, Policy.REJECT, Policy.QUARANTINE):
            with pytest.raises(Unpublishable):
                home.publish(draft.record, report=BAD, policy=policy)
        published = home.publish(draft.record, report=BAD, policy=Policy.RECORD)
        assert published.stage is PUBLISHED and home.violations(home.entry(draft.record)) == 1
        unchecked = home.put(arrival(2, "a"), trusted=True)
        assert home.violations(home.entry(unchecked.record)) is None
