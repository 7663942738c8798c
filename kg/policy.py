"""What becomes of a passport that is written and holds violations."""

from enum import StrEnum


class Policy(StrEnum):
    """What becomes of a write with violations, the strictest first.

    `reject`: it is refused, and nothing of it is kept. `quarantine`: it is kept as a draft with its findings,
    whatever stage it was meant for. `record`: it goes where it was meant for, and its version says by its
    report, to its owner alone, that it does not conform.
    """

    REJECT = "reject"
    QUARANTINE = "quarantine"
    RECORD = "record"

    def allows(self, other: "Policy") -> bool:
        """Return whether another policy is as strict as this one, or stricter.

        >>> Policy.QUARANTINE.allows(Policy.REJECT), Policy.QUARANTINE.allows(Policy.RECORD)
        (True, False)
        """
        order = list(Policy)
        return order.index(other) <= order.index(self)
