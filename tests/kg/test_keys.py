"""Keys of a home: what proves one, what takes it back, and what a damaged file gives away (nothing)."""

import os
import random
import signal
import sqlite3
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from battpass.kg.errors import BattPassError, DamagedHome, HomeInUse, NotFound, StorageFailed
from battpass.kg.keys import FILE, RIGHTS, BadKey, Issued, KeyRing, id_in, masked
from benchmarks.campaigns import ROOT, Campaign

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


class Hands:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / FILE


@pytest.fixture
def clock() -> Hands:
    return Hands()


@pytest.fixture
def ring(path: Path, clock: Hands) -> Iterator[KeyRing]:
    opened = KeyRing(path, clock)
    yield opened
    opened.close()


def test_a_key_is_found_by_its_token_and_by_nothing_near_it(ring: KeyRing) -> None:
    issued = ring.create("interest", ["read"], "Repair shop")
    assert ring.find(issued.token) == issued.key
    id, secret = issued.token.removeprefix("bp_").split("_")
    other = ring.create("public", ["read"]).key.id
    near = [
        "",
        "bp_",
        issued.token[:-1],
        issued.token + "0",
        issued.token.upper(),
        issued.token + "\n",
        f" {issued.token}",
        f"bp_{other}_{secret}",
        f"bp_{id}_{'0' * 64}",
        f"bp_{id}_{secret[::-1]}",
        f"bp_{id}_{secret[:-1]}é",
        "bp_00000000_" + secret,
    ]
    assert [ring.find(one) for one in near] == [None] * len(near)


def test_a_new_home_knows_no_key_and_asking_makes_no_file(ring: KeyRing, path: Path) -> None:
    assert ring.find(f"bp_{'0' * 8}_{'0' * 64}") is None
    assert ring.keys() == []
    ring.check()
    assert not path.exists()


def test_only_the_digest_of_a_secret_is_kept_and_only_for_its_owner(ring: KeyRing, path: Path) -> None:
    issued = ring.create("owner", ["write"])
    secret = issued.token.rpartition("_")[2]
    content = path.read_bytes()
    assert secret.encode() not in content
    assert bytes.fromhex(secret) not in content
    assert secret not in repr(issued)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_a_key_says_is_read_back_as_it_was(ring: KeyRing, path: Path, clock: Hands) -> None:
    issued = ring.create("owner", RIGHTS, "Anna Ohm, line 3", NOON + timedelta(days=90))
    ring.revoke(ring.create("authority", ["read"]).key.id)
    again = KeyRing(path, clock)
    assert again.keys() == ring.keys()
    assert again.find(issued.token) == issued.key
    again.close()


@pytest.mark.parametrize("right", ["write", "publish", "archive"])
def test_who_changes_a_passport_sees_it(ring: KeyRing, right: str) -> None:
    assert ring.create("owner", [right]).key.rights == {right, "read"}


def test_a_key_to_look_after_the_server_sees_no_passport(ring: KeyRing) -> None:
    assert ring.create("owner", ["admin"]).key.rights == {"admin"}


@pytest.mark.parametrize("audience", ["public", "interest", "authority"])
@pytest.mark.parametrize("right", [right for right in RIGHTS if right != "read"])
def test_only_the_owner_changes_anything(ring: KeyRing, path: Path, audience: str, right: str) -> None:
    with pytest.raises(BadKey, match="audience owner alone"):
        ring.create(audience, ["read", right])
    assert not path.exists()


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        ({"audience": "everybody"}, "no audience 'everybody'"),
        ({"rights": ["read", "fly"]}, "no right 'fly'"),
        ({"rights": []}, "opens nothing"),
        ({"label": "two\nlines"}, "one line"),
        ({"label": "x" * 201}, "one line"),
        ({"expires": NOON}, "expired"),
        ({"expires": datetime(2030, 1, 1)}, "time zone"),
    ],
)
def test_a_key_that_makes_no_sense_is_not_made(ring: KeyRing, wanted: dict[str, object], reason: str) -> None:
    whole = {"audience": "owner", "rights": ["read"], **wanted}
    with pytest.raises(BadKey, match=reason):
        ring.create(**whole)  # type: ignore[arg-type]


def test_a_key_ends_at_its_time(ring: KeyRing, clock: Hands) -> None:
    issued = ring.create("interest", ["read"], expires=NOON + timedelta(hours=1))
    clock.now = NOON + timedelta(minutes=59, seconds=59)
    assert ring.find(issued.token) == issued.key
    clock.now = NOON + timedelta(hours=1)
    assert ring.find(issued.token) is None


def test_a_clock_set_back_brings_no_key_to_life(ring: KeyRing, clock: Hands) -> None:
    issued = ring.create("interest", ["read"], expires=NOON + timedelta(hours=1))
    lasting = ring.create("interest", ["read"])
    clock.now = NOON + timedelta(days=1)
    assert ring.find(issued.token) is None
    clock.now = NOON - timedelta(days=1)
    assert ring.find(issued.token) is None
    assert ring.find(lasting.token) == lasting.key


def test_a_revoked_key_stays_revoked_since_the_first_time(ring: KeyRing, clock: Hands) -> None:
    issued = ring.create("owner", ["publish"])
    clock.now += timedelta(hours=1)
    assert ring.revoke(issued.key.id).revoked == clock.now
    assert ring.find(issued.token) is None
    first, clock.now = clock.now, clock.now + timedelta(hours=1)
    assert ring.revoke(issued.key.id).revoked == first


def test_an_unknown_key_cannot_be_revoked_and_its_secret_is_not_repeated(ring: KeyRing) -> None:
    issued = ring.create("owner", ["read"])
    with pytest.raises(NotFound, match="There is no key") as told:
        ring.revoke(issued.token)  # the token where its id belongs
    assert issued.token.rpartition("_")[2] not in str(told.value)


def test_no_trace_of_a_label_is_left_and_the_key_goes_on(ring: KeyRing, path: Path) -> None:
    others = [ring.create("interest", ["read"], f"Somebody else {number}") for number in range(40)]
    issued = ring.create("interest", ["read"], "Anna Ohm, +49 30 123456")
    ring.revoke(others[3].key.id)
    assert b"Anna Ohm" in path.read_bytes()
    assert ring.delete_label(issued.key.id).label == ""
    for file in path.parent.rglob("*"):
        assert b"Anna" not in file.read_bytes()
    found = ring.find(issued.token)
    assert found is not None
    assert (found.id, found.label) == (issued.key.id, "")


def test_what_another_process_does_counts_at_the_next_look(ring: KeyRing, path: Path) -> None:
    def elsewhere(program: str, *arguments: str) -> str:
        text = f"import sys; from pathlib import Path; from battpass.kg.keys import KeyRing\n{program}"
        command = [sys.executable, "-c", text, str(path), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True, cwd=ROOT)
        return done.stdout.strip()

    token = elsewhere("print(KeyRing(Path(sys.argv[1])).create('interest', ['read']).token)")
    # The time of the other process is the real one, and that of this ring has not come so far.
    assert ring.find(token) is not None
    elsewhere("KeyRing(Path(sys.argv[1])).revoke(sys.argv[2])", id_in(token))
    assert ring.find(token) is None


def test_a_revocation_counts_at_the_next_look_however_quick(path: Path) -> None:
    looking, changing = KeyRing(path), KeyRing(path)
    for _ in range(50):
        issued = changing.create("interest", ["read"])
        assert looking.find(issued.token) == issued.key
        changing.revoke(issued.key.id)
        assert looking.find(issued.token) is None
    looking.close()


def test_a_file_that_was_replaced_is_read_anew(ring: KeyRing, path: Path, tmp_path: Path) -> None:
    before = ring.create("interest", ["read"])
    assert ring.find(before.token) is not None
    other = KeyRing(tmp_path / "other.sqlite")
    after = other.create("interest", ["read"])
    other.path.replace(path)
    assert ring.find(before.token) is None
    assert ring.find(after.token) is not None
    path.unlink()
    assert ring.find(after.token) is None


def test_many_threads_look_while_keys_come_and_go(path: Path) -> None:
    ring = KeyRing(path)
    lasting = ring.create("interest", ["read"])
    ended = threading.Event()
    wrong: list[object] = []

    def look() -> None:
        while not ended.is_set():
            try:
                if (found := ring.find(lasting.token)) != lasting.key:
                    wrong.append(found)
            except BattPassError as error:
                wrong.append(error)

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(40):
        issued = ring.create("interest", ["read"])
        ring.revoke(issued.key.id)
        assert ring.find(issued.token) is None
    ended.set()
    for thread in threads:
        thread.join(30)
    assert wrong == []
    ring.close()


def test_while_a_change_is_being_committed_what_stood_before_holds(ring: KeyRing, path: Path) -> None:
    issued = ring.create("interest", ["read"])
    assert ring.find(issued.token) == issued.key
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    other.execute("DELETE FROM key")
    os.utime(path)
    assert ring.find(issued.token) == issued.key
    other.execute("COMMIT")
    other.close()
    assert ring.find(issued.token) is None


def test_a_locked_file_is_no_damage(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    issued = KeyRing(path).create("interest", ["read"])
    monkeypatch.setattr("battpass.kg.keys._WAIT_SECONDS", 0.05)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    ring = KeyRing(path)
    for attempt in (lambda: ring.find(issued.token), lambda: ring.create("public", ["read"])):
        with pytest.raises(HomeInUse, match="locked"):
            attempt()
    other.close()
    assert ring.find(issued.token) == issued.key
    ring.close()


def test_a_change_that_was_killed_is_undone_by_who_looks_next(path: Path) -> None:
    issued = KeyRing(path).create("interest", ["read"])
    program = (
        "import os, signal, sqlite3, sys\n"
        "connection = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "connection.execute('PRAGMA cache_size = 1')\n"
        "connection.execute('PRAGMA cache_spill = 1')\n"
        "connection.execute('BEGIN IMMEDIATE')\n"
        "connection.execute('DELETE FROM key')\n"
        "connection.execute('CREATE TABLE filler (text)')\n"
        "connection.executemany('INSERT INTO filler VALUES (?)', [('x' * 3000,)] * 200)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, str(path)], check=False, timeout=120)
    assert done.returncode == -signal.SIGKILL
    assert path.with_name(f"{FILE}-journal").exists()
    ring = KeyRing(path)
    assert ring.find(issued.token) == issued.key
    ring.check()
    ring.close()


def test_keys_of_a_folder_that_cannot_be_written_are_verified_all_the_same() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ring = KeyRing(folder / FILE)
        issued, revoked = ring.create("owner", ["write"]), ring.create("owner", ["write"])
        ring.revoke(revoked.key.id)
        ring.close()
        # Whoever may do everything may write anywhere, so somebody else looks.
        (folder / FILE).chmod(0o444)
        folder.chmod(0o555)
        program = (
            "import os, sys\n"
            "from tests.kg.test_keys import look_where_nothing_can_be_written\n"
            "os.getuid() or os.setuid(65534)\n"
            "look_where_nothing_can_be_written(*sys.argv[1:])\n"
        )
        command = [sys.executable, "-c", program, name, issued.token, revoked.token]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, cwd=ROOT)
        folder.chmod(0o755)
        assert done.returncode == 0, done.stderr


def look_where_nothing_can_be_written(folder: str, token: str, revoked: str) -> None:
    ring = KeyRing(Path(folder) / FILE)
    found = ring.find(token)
    assert found is not None and found.rights == {"read", "write"}
    assert ring.find(revoked) is None
    for change in (lambda: ring.create("owner", ["read"]), lambda: ring.revoke(id_in(token))):
        with pytest.raises(StorageFailed, match="Nothing was changed"):
            change()
    ring.close()


def test_a_row_that_was_changed_by_hand_grants_nothing_and_can_only_be_revoked(
    ring: KeyRing, path: Path
) -> None:
    sound, raised = ring.create("public", ["read"], "Sound"), ring.create("public", ["read"], "Raised")
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE key SET audience = 'owner' WHERE id = ?", (raised.key.id,))
    connection.close()
    assert ring.find(sound.token) == sound.key
    with pytest.raises(DamagedHome, match=raised.key.id):
        ring.find(raised.token)
    with pytest.raises(DamagedHome):
        ring.find(f"bp_00000000_{'0' * 64}")  # it may be the damaged one, under its true name
    with pytest.raises(DamagedHome):
        ring.check()
    with pytest.raises(DamagedHome):
        ring.delete_label(raised.key.id)
    assert (ring.keys(), ring.damaged()) == ([sound.key], [raised.key.id])
    left = ring.revoke(raised.key.id)
    assert (left.rights, left.label, ring.damaged()) == (frozenset(), "", [])
    assert ring.find(raised.token) is None
    ring.check()


def test_a_revocation_that_was_taken_out_by_hand_does_not_count(ring: KeyRing, path: Path) -> None:
    issued = ring.create("owner", ["write"])
    ring.revoke(issued.key.id)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE key SET revoked = ''")
    connection.close()
    with pytest.raises(DamagedHome):
        ring.find(issued.token)


@pytest.mark.parametrize("content", [b"no database at all\n" * 400, b"SQLite format 3\0" + bytes(8176)])
def test_a_file_that_holds_something_else_is_damage(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    ring = KeyRing(path)
    with pytest.raises(DamagedHome, match="not what was written"):
        ring.find(f"bp_00000000_{'0' * 64}")
    with pytest.raises(DamagedHome, match="Nothing was changed"):
        ring.create("public", ["read"])
    assert path.read_bytes() == content


def test_a_later_layout_is_not_guessed_at(ring: KeyRing, path: Path) -> None:
    issued = ring.create("public", ["read"])
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 2")
    connection.close()
    with pytest.raises(DamagedHome, match="layout is 2"):
        ring.find(issued.token)


def test_no_flipped_bit_grants_anything(tmp_path: Path, campaign: Campaign) -> None:
    path = tmp_path / FILE
    ring = KeyRing(path)
    good = [ring.create("interest", ["read"], f"Shop {number}") for number in range(12)]
    owner = ring.create("owner", RIGHTS, "The owner")
    gone = [ring.create("owner", RIGHTS, f"Gone {number}") for number in range(4)]
    for issued in gone:
        ring.revoke(issued.key.id)
    ring.close()
    whole = path.read_bytes()
    # Half of the flips hit what is written, half lie anywhere.
    written = [place for place, byte in enumerate(whole) if byte]
    dice = campaign.random("flipped bits of the key file")
    noticed = 0
    for _ in range(campaign.count(4_000)):
        noticed += _flipped(path, whole, dice, written, [*good, owner], gone)
    assert noticed > 0


def _flipped(
    path: Path,
    whole: bytes,
    dice: random.Random,
    written: list[int],
    good: list[Issued],
    gone: list[Issued],
) -> bool:
    """Flip one bit and ask for every key: return whether it was noticed."""
    place = dice.choice(written) if dice.random() < 0.5 else dice.randrange(len(whole))
    bit = dice.randrange(8)
    broken = bytearray(whole)
    broken[place] ^= 1 << bit
    path.write_bytes(broken)
    ring = KeyRing(path)
    where = f"bit {bit} of byte {place}"
    noticed = False
    for issued in good:
        try:
            # A key that is not found stands under another name now, and then asking for it says so.
            assert ring.find(issued.token) == issued.key, where
        except DamagedHome:
            noticed = True
    for issued in gone:
        try:
            assert ring.find(issued.token) is None, where
        except DamagedHome:
            noticed = True
    ring.close()
    return noticed


def test_a_key_in_a_text_is_masked(ring: KeyRing) -> None:
    token = ring.create("public", ["read"]).token
    assert masked(f"GET /p/{token}?x={token}&y") == f"GET /p/bp_{id_in(token)}_...?x=bp_{id_in(token)}_...&y"
    plain = "SELECT ?bp_measured_state_of_charge_percent { ?s bp:ratedCapacityAh ?o }"
    assert masked(plain) == plain


def test_a_new_key_is_known_while_the_next_change_is_committed(tmp_path: Path) -> None:
    ring, other = KeyRing(tmp_path / FILE), KeyRing(tmp_path / FILE)
    first = ring.create("public", ["read"])
    assert ring.find(first.token) is not None
    token = other.create("public", ["read"]).token
    with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None, check_same_thread=False)) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        ending = threading.Timer(0.03, holder.execute, ("ROLLBACK",))
        ending.start()
        assert ring.find(token) is not None
        ending.join()
    ring.close()
    other.close()
