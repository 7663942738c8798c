"""Answers searched for canaries: status line, headers and body."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import httpx

from tests.leak.canaries import Cage, found_in

# What differs from one answer to the next and comes from no passport.
_OF_THE_MOMENT = ("content-length", "date", "x-request-id")


def text_of(answer: httpx.Response) -> str:
    """Return all that an answer tells, as one text."""
    headers = (
        f"{name}: {value}" for name, value in answer.headers.multi_items() if name not in _OF_THE_MOMENT
    )
    status = f"{answer.http_version} {answer.status_code} {answer.reason_phrase}"
    return "\n".join((status, *headers, answer.text))


@dataclass
class Look:
    """What was found in all answers to one audience, and what of it is a leak, by where it was."""

    cage: Cage
    audience: str
    count: int = 0
    found: set[int] = field(default_factory=set)
    leaks: list[tuple[str, list[str]]] = field(default_factory=list)

    def at(self, answer: httpx.Response, asked: str = "") -> httpx.Response:
        """Search an answer, and return it."""
        where = (
            asked or f"{answer.request.method} {answer.request.url} {answer.request.headers.get('accept')}"
        )
        self.over(text_of(answer), f"{where} -> {answer.status_code}")
        return answer

    def over(self, text: str, where: str) -> None:
        """Search a text that the audience was given."""
        self.count += 1
        seen = found_in(text)
        self.found |= seen
        if leaks := self.cage.leaks_in(text, self.audience) if seen else []:
            self.leaks.append((where, leaks))

    def missing(self, numbers: Iterable[int]) -> list[str]:
        """Return the names of those that were to be found and were not."""
        return self.cage.names(set(numbers) - self.found)
