"""What a disk may hold after a crash, made from recorded bytes, and what a home must make of it.

A state is legal if only unsynced bytes are lost in it: a power cut can leave it. The others are those of a
disk that lost what it had promised to keep. There the home must not open where anything can know.
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from battpass.kg.journal.witness import Head
from tests.durability.recording import Moment, Recording

SECTOR = 512
_SLOT = 256


@dataclass(frozen=True, slots=True)
class CrashState:
    """The files of a home after a crash; None stands for a file that is gone.

    `opens_at` is the sequence number that the journal must end at; None where the home must be refused.
    `stamped` is the head that a dataset was stamped with, if there is one.
    """

    told: str
    journal: bytes
    log: bytes | None
    witness: bytes | None
    opens_at: int | None
    index: bytes | None = None
    stamped: Head | None = None


def standing(recording: Recording, moment: Moment, log: bytes) -> int:
    """Return the entry that a journal ends at whose log is that of a moment up to the first wrong byte."""
    whole = [end for end in moment.ends if log[:end] == moment.log[:end]]
    if len(whole) < 2:  # nothing but the header: what stands is what was folded into the file before
        return folded(recording, moment)
    return next(
        one.head.sequence
        for one in recording.moments
        if one.log[:32] == moment.log[:32] and one.ends[-1] == whole[-1]
    )


def folded(recording: Recording, moment: Moment) -> int:
    """Return the entry up to which everything stands in the file itself, without the log."""
    found = 0
    for one in recording.moments:
        if one.log[:32] == moment.log[:32] and one.journal == moment.journal:
            break
        found = one.head.sequence
    return found


def last_commit_cut(random: Random, recording: Recording) -> CrashState:
    """The last commit was under way: its bytes end anywhere."""
    before, moment = _pair(random, recording)
    length = random.randrange(before.ends[-1], moment.ends[-1])
    return _unacknowledged(random, recording, moment, moment.log[:length], f"log ends at byte {length}")


def last_commit_zeroed(random: Random, recording: Recording) -> CrashState:
    """The last commit was under way: the file has grown, its bytes have not come."""
    before, moment = _pair(random, recording)
    at = random.randrange(before.ends[-1], moment.ends[-1])
    log = moment.log[:at] + bytes(moment.ends[-1] - at)
    return _unacknowledged(random, recording, moment, log, f"log is zero from byte {at}")


def last_commit_in_any_order(random: Random, recording: Recording) -> CrashState:
    """The last commit was under way: of its sectors some have come, in any order."""
    before, moment = _pair(random, recording)
    log = _mixed(random, moment.log, before.log, before.ends[-1])
    return _unacknowledged(random, recording, moment, log, "sectors of the last commit came in any order")


def synced_commits_cut(random: Random, recording: Recording) -> CrashState:
    """The log ends before commits that were synced and acknowledged."""
    _, moment = _pair(random, recording)
    length = random.randrange(moment.ends[-1])
    return _witnessed(recording, moment, moment.log[:length], f"log ends at byte {length}")


def synced_commits_zeroed(random: Random, recording: Recording) -> CrashState:
    """Some sectors of what was synced are zero."""
    _, moment = _pair(random, recording)
    written = [at for at in range(0, moment.ends[-1], SECTOR) if moment.log[at : at + SECTOR].strip(b"\0")]
    at = random.choice(written)
    log = moment.log[:at] + bytes(SECTOR) + moment.log[at + SECTOR :]
    return _witnessed(
        recording, moment, log[: len(moment.log)], f"the sector at byte {at} of the log is zero"
    )


def log_gone(random: Random, recording: Recording) -> CrashState:
    """The log is not there at all."""
    _, moment = _pair(random, recording)
    found = _witnessed(recording, moment, b"", "the log is gone")
    return CrashState(found.told, found.journal, None, found.witness, found.opens_at)


def dataset_knows_more(random: Random, recording: Recording) -> CrashState:
    """Log and witness have lost what was acknowledged, but a dataset has seen it."""
    before, moment = _pair(random, recording)
    length = random.randrange(before.ends[-1])
    log = moment.log[:length]
    stands = standing(recording, moment, log)
    witness = recording.at(stands).witness if random.random() < 0.5 else None
    told = f"log ends at byte {length}, and a dataset has seen entry {moment.head.sequence}"
    return CrashState(told, moment.journal, log, witness, None, stamped=moment.head)


def dataset_is_behind(random: Random, recording: Recording) -> CrashState:
    """A dataset was stamped some entries ago."""
    moment = random.choice(recording.moments[1:])
    older = recording.head(random.randint(1, moment.head.sequence))
    told = f"a dataset stands at entry {older.sequence}"
    return CrashState(told, moment.journal, moment.log, moment.witness, moment.head.sequence, stamped=older)


def witness_lost(random: Random, recording: Recording) -> CrashState:
    """The witness, which is never synced, is gone, empty, or cut."""
    moment = random.choice(recording.moments[1:])
    witness = random.choice([None, b"", moment.witness[: random.randrange(len(moment.witness))]])
    return _with_witness(moment, witness, "the witness is gone or cut")


def witness_torn(random: Random, recording: Recording) -> CrashState:
    """The witness was being written: the slot is half old, half new, or holds anything at all."""
    at = random.randrange(1, len(recording.moments))
    moment, before = recording.moments[at], recording.moments[at - 1]
    slot = _SLOT * (moment.head.sequence % 2)
    cut = slot + random.randrange(_SLOT)
    old = before.witness.ljust(2 * _SLOT, b"\0")
    torn = moment.witness[:cut] + random.choice([old[cut:], random.randbytes(slot + _SLOT - cut)])
    return _with_witness(moment, torn + moment.witness[len(torn) :], f"the witness is torn at byte {cut}")


def witness_older(random: Random, recording: Recording) -> CrashState:
    """The witness is that of an earlier entry."""
    moment = random.choice(recording.moments[1:])
    older = random.choice([one for one in recording.moments if one.head.sequence <= moment.head.sequence])
    return _with_witness(moment, older.witness, f"the witness knows entry {older.head.sequence}")


def index_of_the_log(random: Random, recording: Recording) -> CrashState:
    """The index of the log, which is never synced, is gone or holds anything."""
    moment = random.choice(recording.moments[1:])
    size = random.choice([0, 100, 32_768, 65_536])
    index = random.choice([None, bytes(size), random.randbytes(size)])
    told = f"the index of the log is {'gone' if index is None else f'{size} bytes of anything'}"
    return CrashState(told, moment.journal, moment.log, moment.witness, moment.head.sequence, index)


def folding_under_way(random: Random, recording: Recording) -> CrashState:
    """The log was being folded into the file: of the file's sectors some have come, and the log is whole."""
    before, after = _folding(random, recording)
    journal = _mixed(random, after.journal, before.journal, 0)
    journal = random.choice([journal, before.journal])
    return CrashState("the file is half folded", journal, after.log, after.witness, after.head.sequence)


def log_begun_anew(random: Random, recording: Recording) -> CrashState:
    """The log begins anew over an old one that was folded; its new header is synced before all else."""
    _, folded = _folding(random, recording)
    new = recording.moments[recording.moments.index(folded) + 1]
    header = random.choice(["old", "torn", "new"])
    if header == "new":
        log = new.log[:32] + _mixed(random, new.log, folded.log, 0)[32:]
    else:
        cut = random.randrange(32) if header == "torn" else 0
        log = new.log[:cut] + folded.log[cut:]
    # The last commit counts only if all of it is there; what was folded stands in any case.
    stands = new.head.sequence if log[: new.ends[-1]] == new.log[: new.ends[-1]] else folded.head.sequence
    return CrashState(
        f"the log begins anew, its header is {header}", new.journal, log, folded.witness, stands
    )


LEGAL: tuple[Callable[[Random, Recording], CrashState], ...] = (
    last_commit_cut,
    last_commit_zeroed,
    last_commit_in_any_order,
    dataset_is_behind,
    witness_lost,
    witness_torn,
    witness_older,
    index_of_the_log,
    folding_under_way,
    log_begun_anew,
)
BROKEN_PROMISES: tuple[Callable[[Random, Recording], CrashState], ...] = (
    synced_commits_cut,
    synced_commits_zeroed,
    log_gone,
    dataset_knows_more,
)


def cut_at(recording: Recording, length: int, witness: Moment) -> CrashState:
    """Return the end of a recording with a log that ends at a byte, beside the witness of some moment."""
    log = recording.last.log[:length]
    stands = standing(recording, recording.last, log)
    known = witness.head.sequence
    told = f"log ends at byte {length}, the witness knows entry {known}"
    opens = stands if known <= stands else None
    return CrashState(told, recording.last.journal, log, witness.witness, opens)


def _pair(random: Random, recording: Recording) -> tuple[Moment, Moment]:
    """Return two moments that follow each other within one generation of the log."""
    pairs = [
        (before, after)
        for before, after in zip(recording.moments, recording.moments[1:], strict=False)
        if before.log[:32] == after.log[:32] and len(after.ends) > len(before.ends) > 1
    ]
    return random.choice(pairs)


def _folding(random: Random, recording: Recording) -> tuple[Moment, Moment]:
    """Return the moments before and after the log was folded into the file."""
    return random.choice(
        [
            (before, after)
            for before, after in zip(recording.moments, recording.moments[1:-1], strict=False)
            if before.log == after.log and before.journal != after.journal
        ]
    )


def _unacknowledged(
    random: Random, recording: Recording, moment: Moment, log: bytes, told: str
) -> CrashState:
    """The last commit was not acknowledged yet, so that the witness knows the one before, or an older one."""
    stands = standing(recording, moment, log)
    before = recording.moments[recording.moments.index(moment) - 1]
    older = [one for one in recording.moments if one.head.sequence <= before.head.sequence]
    witness = random.choice([before.witness, random.choice(older).witness])
    return CrashState(told, moment.journal, log, witness, stands)


def _witnessed(recording: Recording, moment: Moment, log: bytes, told: str) -> CrashState:
    """The witness of the moment is there, so that whatever is lost is known."""
    stands = standing(recording, moment, log)
    known = moment.head.sequence
    return CrashState(told, moment.journal, log, moment.witness, stands if stands >= known else None)


def _with_witness(moment: Moment, witness: bytes | None, told: str) -> CrashState:
    return CrashState(told, moment.journal, moment.log, witness, moment.head.sequence)


def _mixed(random: Random, new: bytes, old: bytes, after: int) -> bytes:
    """Return bytes of which each sector after a place is new, old or, where the old ends, zero."""
    found = bytearray(new[:after])
    share = random.random()
    while len(found) < len(new):
        end = min(len(new), (len(found) // SECTOR + 1) * SECTOR)
        piece = slice(len(found), end)
        found += new[piece] if random.random() < share else old[piece].ljust(end - len(found), b"\0")
    return bytes(found)
