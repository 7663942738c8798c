"""Workers of a crew: asked by many, replaced when lost, held by time, memory and size, ended for good."""

import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from battpass.kg.errors import BadDocument, DocumentTooLarge, NotFound, Overdue, PoolBusy, ProcessLost
from battpass.services.exchange.crew import Closed, Crew, IntakeLimits, Unavailable

TASKS = "tests.exchange.crew_tasks:ready"
LIMITS = IntakeLimits(seconds=60.0, memory=128 << 20, answer=1 << 20)


class Asked:
    """A crew, asked in short."""

    def __init__(self, size: int = 1, limits: IntakeLimits = LIMITS, tasks: str = TASKS) -> None:
        self.crew = Crew(tasks, size, limits)

    def __call__(
        self, task: str, *texts: bytes, patience: float | None = 60.0, **request: Any
    ) -> list[bytes]:
        return self.crew.ask({"task": task, **request}, list(texts), list, patience)

    def pid(self) -> int:
        return int(self("pid")[0])

    @property
    def counts(self) -> tuple[int, int]:
        return self.crew.started, self.crew.lost


@pytest.fixture
def make() -> Iterator[Callable[..., Asked]]:
    """Return what makes crews; all are closed at the end."""
    made: list[Asked] = []

    def one(size: int = 1, *, tasks: str = TASKS, **limits: Any) -> Asked:
        made.append(Asked(size, replace(LIMITS, **limits), tasks))
        return made[-1]

    yield one
    for asked in made:
        asked.crew.close()


def runs(pid: int) -> bool:
    """Return whether a process is there and has not ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def files() -> int:
    """Return how many files this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))


def wait_until(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_texts_go_in_and_come_out_as_they_are(make: Callable[..., Asked]) -> None:
    asked = make()
    texts = [b"", b"one", bytes(range(256)), b"x" * 300_000]
    assert asked("echo", *texts) == [text[::-1] for text in texts]
    assert asked("echo") == []


def test_a_worker_is_asked_again(make: Callable[..., Asked]) -> None:
    asked = make()
    assert len({asked.pid() for _ in range(20)}) == 1
    assert asked.counts == (1, 0)


def test_an_error_of_ours_comes_back_as_it_was_raised(make: Callable[..., Asked]) -> None:
    asked = make()
    before = asked.pid()
    with pytest.raises(NotFound, match=r"^There is no such thing\.$"):
        asked("refuse")
    assert asked.pid() == before
    assert asked.counts == (1, 0)


def test_an_error_of_a_task_tells_its_kind_and_not_its_words(make: Callable[..., Asked]) -> None:
    asked = make()
    before = asked.pid()
    with pytest.raises(BadDocument, match="ZeroDivisionError") as caught:
        asked("fail")
    assert "secret" not in str(caught.value)
    assert "a secret of the inside" in "".join(caught.value.__notes__)  # for the log
    assert asked.pid() != before  # nobody knows what is left of it
    assert asked.counts == (2, 1)


@pytest.mark.parametrize(
    ("task", "told", "error", "words"),
    [
        ("crash", {}, ProcessLost, "ran out of stack"),
        ("leave", {}, ProcessLost, "ended with code 3"),
        ("swell", {"megabytes": 4_096}, BadDocument, "more memory"),
        ("flood", {"bytes": 2 << 20}, DocumentTooLarge, "more than 1,048,576 bytes"),
    ],
)
def test_a_worker_that_a_task_ends_is_replaced(
    make: Callable[..., Asked], task: str, told: dict[str, int], error: type[Exception], words: str
) -> None:
    asked = make()
    before = asked.pid()
    with pytest.raises(error, match=words):
        asked(task, **told)
    assert asked.pid() != before
    assert not runs(before)
    assert asked.counts == (2, 1)


def test_a_task_that_does_not_end_is_ended_at_its_deadline(make: Callable[..., Asked]) -> None:
    asked = make(seconds=1.0)
    before = asked.pid()
    with pytest.raises(Overdue):
        asked("sleep", **{"for": 600})
    assert not runs(before)
    assert asked.pid() != before
    assert asked.counts == (2, 1)


def test_one_that_is_lost_takes_nobody_along(make: Callable[..., Asked]) -> None:
    asked = make(3)

    def one(number: int) -> str:
        try:
            if number % 4 == 1:
                asked("crash")
            elif number % 4 == 3:
                asked("swell", megabytes=4_096)
            return asked("echo", b"%d" % number)[0][::-1].decode()
        except (ProcessLost, BadDocument) as error:
            return type(error).__name__

    with ThreadPoolExecutor(8) as threads:
        results = list(threads.map(one, range(40)))
    kinds = {1: "ProcessLost", 3: "BadDocument"}
    assert results == [kinds.get(number % 4, str(number)) for number in range(40)]
    started, lost = asked.counts
    assert lost == 20
    assert 21 <= started <= 23


@pytest.mark.parametrize(
    "scrawl",
    [
        b"",
        b"H",
        b"H\x00\x00\x00\x02{}",
        b"R\x00\x00\x00\x02[]",
        b"H\xff\xff\xff\xff",
        b"X\x00\x00\x00\x04null",
        b"H\x00\x00\x00\x1b" + b'{"sizes": [-1], "grown": 0}',
        b"H\x00\x00\x00\x1a" + b'{"sizes": [5], "grown": 0}',
    ],
)
def test_what_is_no_answer_is_not_taken_for_one(make: Callable[..., Asked], scrawl: bytes) -> None:
    asked = make()
    with pytest.raises(ProcessLost):
        asked("scrawl", scrawl)
    assert asked("echo", b"ab") == [b"ba"]


@pytest.mark.parametrize(
    "way", ["read a file", "write a file", "open a socket", "start a program", "load a module"]
)
def test_a_worker_cannot_reach_out(make: Callable[..., Asked], way: str, tmp_path: Path) -> None:
    asked = make()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.1)
        answer = asked("reach", way=way, port=listener.getsockname()[1], folder=str(tmp_path))
        assert answer in ([b"OSError"], [b"PermissionError"], [b"ModuleNotFoundError"])
        with pytest.raises(TimeoutError):
            listener.accept()
    assert not list(tmp_path.iterdir())


def test_a_worker_sees_nothing_of_our_environment(
    make: Callable[..., Asked], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BATTPASS_SECRET", "x")
    assert b"BATTPASS_SECRET" not in make()("environment")[0]


def test_a_worker_that_has_done_enough_is_replaced_and_not_lost(make: Callable[..., Asked]) -> None:
    asked = make(documents=3)
    pids = [asked.pid() for _ in range(9)]
    assert [len(set(pids[at : at + 3])) for at in (0, 3, 6)] == [1, 1, 1]
    assert len(set(pids)) == 3
    assert asked.crew.lost == 0


def test_a_worker_that_has_grown_is_replaced_and_not_lost(make: Callable[..., Asked]) -> None:
    asked = make(growth=16 << 20)
    before = asked.pid()
    asked("keep", bytes=4 << 20)
    assert asked.pid() == before
    asked("keep", bytes=32 << 20)
    assert asked.pid() != before
    assert asked.crew.lost == 0


def test_who_finds_no_worker_free_is_told_so(make: Callable[..., Asked]) -> None:
    asked = make()
    asked.pid()
    with ThreadPoolExecutor(1) as threads:
        busy = threads.submit(asked, "sleep", **{"for": 1.5})
        wait_until(lambda: not asked.crew._idle)
        with pytest.raises(PoolBusy, match="All 1 workers"):
            asked("pid", patience=0.05)
        assert asked("pid", patience=60.0) == busy.result()  # who waits gets its turn


def test_workers_that_were_killed_while_they_waited_are_passed_over(make: Callable[..., Asked]) -> None:
    asked = make()
    for _ in range(5):
        os.kill(asked.pid(), signal.SIGKILL)
        assert asked("echo", b"ab") == [b"ba"]


def test_a_fork_server_that_was_killed_is_started_anew(make: Callable[..., Asked]) -> None:
    asked = make(2)
    before = asked.pid()
    server = asked.crew._processes._server
    assert server is not None
    asked.crew.check()
    os.kill(server.pid, signal.SIGKILL)
    wait_until(lambda: not runs(before))  # the kernel ends its workers
    asked.crew.check()  # has what was lost replaced
    assert asked.pid() != before
    assert asked.crew._processes._server is not server


def test_a_look_at_a_crew_that_has_done_nothing_starts_nothing(make: Callable[..., Asked]) -> None:
    asked = make()
    asked.crew.check()
    assert asked.counts == (0, 0)
    assert asked.crew._processes._server is None


def test_tasks_that_do_not_load_are_told_and_tried_again(make: Callable[..., Asked]) -> None:
    asked = make(tasks="tests.exchange.crew_tasks:broken")
    for _ in range(2):
        with pytest.raises(Unavailable, match="ValueError: a table does not load"):
            asked.pid()
        with pytest.raises(Unavailable, match="a table does not load"):
            asked.crew.check()


def test_a_machine_without_files_left_is_no_fault_of_a_document(make: Callable[..., Asked]) -> None:
    asked = make()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files(), hard))
    try:
        with pytest.raises(Unavailable, match="No process can be started"):
            asked.pid()
        with pytest.raises(Unavailable):
            asked.crew.check()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    asked.crew.check()
    assert asked("echo", b"ab") == [b"ba"]


def test_no_pipe_is_left_open(make: Callable[..., Asked]) -> None:
    asked = make(2)
    asked.pid()
    before = files()
    for _ in range(5):
        with pytest.raises(ProcessLost):
            asked("crash")
    assert files() == before
    asked.crew.close()
    assert files() < before


def test_closing_ends_what_is_at_work(make: Callable[..., Asked]) -> None:
    asked = make(2)
    before = asked.pid()
    with ThreadPoolExecutor(1) as threads:
        at_work = threads.submit(asked, "sleep", **{"for": 600})
        wait_until(lambda: bool(asked.crew._at_work))
        asked.crew.close()
        with pytest.raises(Closed):
            at_work.result()
    assert not runs(before)
    for call in (asked.pid, asked.crew.check):
        with pytest.raises(Closed):
            call()
    asked.crew.close()  # a second time does nothing


def test_a_crew_that_nobody_holds_any_more_ends_its_processes() -> None:
    asked = Asked()
    pid, server = asked.pid(), asked.crew._processes._server
    assert server is not None
    del asked
    wait_until(lambda: not runs(pid) and not runs(server.pid))


def test_workers_go_when_whoever_asks_them_is_killed() -> None:
    program = (
        "import sys, time\n"
        "from tests.exchange.test_crew import Asked\n"
        "asked = Asked(2)\n"
        "print(asked.pid(), asked.crew._processes._server.pid, flush=True)\n"
        "asked('sleep', **{'for': 600})\n"
    )
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", program], cwd=root, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        pids = [int(pid) for pid in parent.stdout.readline().split()]
        assert len(pids) == 2
        parent.kill()
    for pid in pids:
        wait_until(lambda pid=pid: not runs(pid))  # type: ignore[misc]


def test_ctrl_c_is_for_whoever_asks_and_not_for_workers(make: Callable[..., Asked]) -> None:
    asked = make()
    before = asked.pid()
    server = asked.crew._processes._server
    assert server is not None
    for pid in (before, server.pid):
        os.kill(pid, signal.SIGINT)
    assert asked.pid() == before


def test_threads_that_begin_together_share_one_fork_server(make: Callable[..., Asked]) -> None:
    asked = make(4)
    barrier = threading.Barrier(4)

    def one(_: int) -> int:
        barrier.wait()
        return int(asked("sleep", **{"for": 0.5})[0])

    with ThreadPoolExecutor(4) as threads:
        pids = set(threads.map(one, range(4)))
    assert len(pids) == 4
    parents = {Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1] for pid in pids}
    assert len(parents) == 1
