"""`key create`, `key list`, `key revoke`, `key forget`: the keys of a home, beside whatever uses it."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from battpass.kg.keys import FILE, KeyRing, id_in
from battpass.services.cli import keys
from battpass.services.cli.console import Console
from battpass.services.cli.main import Commands


class Battpass:
    """The command with this group alone, so that no passports are needed."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._app = typer.Typer(cls=Commands, add_completion=False, rich_markup_mode=None)
        self._app.callback()(self._choose)
        keys.register(self._app)

    def _choose(self, context: typer.Context) -> None:
        """Choose the folder."""
        context.obj = Console(self.home)

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        done = CliRunner(env={"NO_COLOR": "1"}).invoke(self._app, ["key", *arguments])
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done.exit_code, done.stdout, done.stderr

    def document(self, *arguments: str) -> dict[str, Any]:
        status, out, _ = self(*arguments, "--json")
        assert status == 0
        found: dict[str, Any] = json.loads(out)
        return found


@pytest.fixture
def battpass(tmp_path: Path) -> Battpass:
    (tmp_path / "home.json").write_text("{}")
    return Battpass(tmp_path)


def test_a_new_key_is_printed_alone_and_opens_what_was_asked_for(battpass: Battpass) -> None:
    status, out, err = battpass("create", "--audience", "owner", "--right", "write", "--right", "publish")
    assert status == 0
    token = out.strip()
    key = KeyRing(battpass.home / FILE).find(token)
    assert key is not None
    assert (key.audience, key.rights) == ("owner", {"read", "write", "publish"})
    assert "not shown again" in err
    assert token.rpartition("_")[2] not in err
    assert f"Key {key.id} for owner, with the right to publish, read and write" in err


def test_a_key_without_a_right_named_reads(battpass: Battpass) -> None:
    found = battpass.document("create", "--audience", "interest", "--label", "Repair shop")
    assert found["key"].items() >= {
        ("audience", "interest"),
        ("label", "Repair shop"),
        ("state", "stands"),
        ("expires", None),
        ("revoked", None),
    }
    assert found["key"]["rights"] == ["read"]
    assert found["key"]["actor"] == f"key:{id_in(found['token'])}"


def test_a_key_is_taken_through_its_last_day(battpass: Battpass) -> None:
    day = datetime.now(UTC).date() + timedelta(days=30)
    found = battpass.document("create", "--audience", "public", "--expires", day.isoformat())
    end = datetime.combine(day + timedelta(days=1), datetime.min.time(), UTC)
    assert datetime.fromisoformat(found["key"]["expires"]) == end
    token = found["token"]
    assert KeyRing(battpass.home / FILE, lambda: end - timedelta(seconds=1)).find(token) is not None
    assert KeyRing(battpass.home / FILE, lambda: end).find(token) is None
    assert day.isoformat() in battpass("list")[1]


def test_the_list_names_every_key_and_no_secret(battpass: Battpass) -> None:
    assert "There are no keys" in battpass("list")[1]
    made = [battpass.document("create", "--audience", "interest", "--label", f"Shop {n}") for n in range(3)]
    battpass.document("revoke", made[1]["key"]["id"])
    status, out, _ = battpass("list")
    assert status == 0
    for number, one in enumerate(made):
        (line,) = [line for line in out.splitlines() if one["key"]["id"] in line]
        assert f"Shop {number}" in line
        assert ("revoked" in line) == (number == 1)
        assert one["token"].rpartition("_")[2] not in out
    listed = battpass.document("list")
    assert [one["state"] for one in listed["keys"]] == ["stands", "revoked", "stands"]
    assert listed["damaged"] == []


def test_a_revoked_key_is_told_with_its_time(battpass: Battpass) -> None:
    made = battpass.document("create", "--audience", "owner")
    status, out, _ = battpass("revoke", made["key"]["id"])
    assert status == 0
    assert out.startswith(f"Key {made['key']['id']} is revoked since 20")
    assert KeyRing(battpass.home / FILE).find(made["token"]) is None


def test_a_label_is_forgotten_and_the_key_goes_on(battpass: Battpass) -> None:
    made = battpass.document("create", "--audience", "interest", "--label", "Anna Ohm")
    assert battpass.document("forget", made["key"]["id"])["key"]["label"] == ""
    assert b"Anna Ohm" not in (battpass.home / FILE).read_bytes()
    assert KeyRing(battpass.home / FILE).find(made["token"]) is not None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("create", "--audience", "everybody"), "no audience 'everybody'"),
        (("create", "--audience", "owner", "--right", "fly"), "no right 'fly'"),
        (("create", "--audience", "interest", "--right", "write"), "audience owner alone"),
        (("create", "--audience", "public", "--expires", "2020-01-01"), "expired"),
        (("revoke", "00000000"), "no key '00000000'"),
        (("forget", "00000000"), "no key '00000000'"),
    ],
)
def test_what_cannot_be_done_is_wrong_use_with_a_reason(
    battpass: Battpass, arguments: tuple[str, ...], message: str
) -> None:
    status, out, err = battpass(*arguments)
    assert (status, out) == (2, "")
    assert message in err
    status, out, _ = battpass(*arguments, "--json")
    assert status == 2
    assert message in json.loads(out)["error"]["message"]


def test_a_folder_without_a_home_is_left_alone(tmp_path: Path) -> None:
    for arguments in (("create", "--audience", "public"), ("list",), ("revoke", "00000000")):
        status, _, err = Battpass(tmp_path / "nowhere")(*arguments)
        assert status == 2
        assert "There is no home of passports" in err
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_row_is_listed_and_can_be_revoked(battpass: Battpass) -> None:
    import sqlite3

    made = battpass.document("create", "--audience", "public")["key"]["id"]
    with sqlite3.connect(battpass.home / FILE) as connection:
        connection.execute("UPDATE key SET audience = 'owner'")
    connection.close()
    status, out, err = battpass("list")
    assert status == 1
    assert "damaged" in out
    assert f"{made} is not what was written" in err
    assert battpass("revoke", made)[0] == 0
    assert battpass.document("list")["keys"][0]["rights"] == []
