"""What a server has running, and the memory that it takes, read from /proc."""

from dataclasses import dataclass
from pathlib import Path

_PAGE = 4096


@dataclass(frozen=True, slots=True)
class Running:
    """A process as it was when it was looked at: its number, parent, seconds of work, and bytes of memory."""

    pid: int
    parent: int
    began: int
    seconds: float
    memory: int
    command: bytes

    @property
    def answers_queries(self) -> bool:
        return b"worker.py" in self.command

    @property
    def reads_documents(self) -> bool:
        return b"fork_server.py" in self.command


def look(pid: int) -> Running | None:
    """Return a process, None where it is gone or has ended."""
    folder = Path(f"/proc/{pid}")
    try:
        fields = (folder / "stat").read_text().rpartition(")")[2].split()
        command = (folder / "cmdline").read_bytes()
    except OSError:
        return None
    if fields[0] in "ZX":
        return None
    seconds = (int(fields[11]) + int(fields[12])) / 100
    return Running(pid, int(fields[1]), int(fields[19]), seconds, int(fields[21]) * _PAGE, command)


def family(pid: int) -> list[Running]:
    """Return a process and all that it started, the process first."""
    found = {one.pid: one for path in Path("/proc").glob("[0-9]*") if (one := look(int(path.name)))}
    wanted, known = [pid], []
    while wanted:
        known.append(wanted.pop(0))
        wanted += [one.pid for one in found.values() if one.parent == known[-1]]
    return [found[one] for one in known if one in found]


def is_gone(one: Running) -> bool:
    """Return whether a process has ended; another one may have its number by now."""
    now = look(one.pid)
    return now is None or now.began != one.began
