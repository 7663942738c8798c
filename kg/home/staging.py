"""In which stage a passport is kept, if at all: what was asked for, what was found, and the policy decide."""

from battpass.kg.errors import Rejected, Unpublishable
from battpass.kg.home.blocking import blocks
from battpass.kg.journal.entry import Stage
from battpass.kg.policy import Policy


def stage_of(
    record: str, report: bytes, stage: Stage, policy: Policy | None, *, trusted: bool = False
) -> Stage:
    """Return the stage that a passport is kept in, which was meant for one and has a report, or none.

    Without a policy drafts are kept whatever was found, and publishing is refused for violations. `trusted`
    says that somebody vouches for what was not checked.

    Raises
    ------
    Rejected
        If the policy keeps nothing that has violations, and this has some or was not checked.
    Unpublishable
        If it is to be published, and is not published with violations or without having been checked.
    """
    if policy is Policy.REJECT and not report:
        raise Rejected(
            f"{record} was not checked against the shapes, so nothing of it is kept: the policy is to reject "
            "what has violations. Have it checked."
        )
    if not report:
        if stage is Stage.PUBLISHED and not trusted:
            raise Unpublishable(
                f"{record} was not checked against the shapes, so it is not published. Check it, or keep a "
                "draft."
            )
        return stage
    if not blocks(report):
        return stage
    if policy is Policy.REJECT:
        raise Rejected(
            f"{record} has violations, so nothing of it is kept: the policy is to reject it. Mend them.",
            report,
        )
    if stage is not Stage.PUBLISHED or policy is Policy.RECORD:
        return stage
    if policy is Policy.QUARANTINE:
        return Stage.DRAFT
    raise Unpublishable(
        f"{record} has violations, so it is not published. Mend them, or keep it as a draft.", report
    )
