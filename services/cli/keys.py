"""Who may use the server: `key create`, `key list`, `key revoke`, `key forget`.

A server that runs takes each change from its next request on.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from battpass.kg.errors import NotFound
from battpass.services.cli.console import FOUND, Console, JsonFlag, console

if TYPE_CHECKING:
    from battpass.kg.keys import Key, KeyRing

KeyId = Annotated[str, typer.Argument(metavar="ID", help="The id of a key, as `battpass key list` shows it.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    keys = typer.Typer(help="Keys of the server: who may read and do what.", rich_markup_mode=None)
    keys.command("create", short_help="Make a key and print it, once.")(create)
    keys.command("list", short_help="List the keys, without their secrets.")(list_keys)
    keys.command("revoke", short_help="Take a key back, for good.")(revoke)
    keys.command("forget", short_help="Delete the label of a key.")(forget)
    app.add_typer(keys, name="key", no_args_is_help=True)


def create(
    context: typer.Context,
    audience: Annotated[
        str, typer.Option(help="Whose view of passports it opens: public, interest, authority or owner.")
    ],
    rights: Annotated[
        list[str] | None,
        typer.Option(
            "--right", help="read, write, publish, archive or admin; may be given again. Read if left out."
        ),
    ] = None,
    label: Annotated[str, typer.Option(help="Who holds it. It can be deleted: `battpass key forget`.")] = "",
    expires: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Last day (UTC) on which it is taken; for good if left out."),
    ] = None,
    as_json: JsonFlag = False,
) -> int:
    """Make a key and print it, once: only its digest is kept.

    The key alone goes to standard output, what there is to say of it to standard error.
    """
    out = console(context)
    end = expires.replace(tzinfo=UTC) + timedelta(days=1) if expires else None
    issued = _ring(out).create(audience, rights or ["read"], label, end)
    out.say(issued.token)
    if not out.as_json:
        key = issued.key
        until = _end(key) or "it is revoked"
        out.note(
            f"Key {key.id} for {key.audience}, with the right to {_and(sorted(key.rights))}, until {until}."
        )
        out.note("Keep it now, as it is not shown again. Send it as Authorization: Bearer bp_...")
    out.document({"key": _document(issued.key), "token": issued.token})
    return 0


def list_keys(context: typer.Context, as_json: JsonFlag = False) -> int:
    """List the keys, the oldest first, without their secrets.

    Exit status 1: a row of the file is not what was written.
    """
    out = console(context)
    ring = _ring(out)
    keys, damaged = ring.keys(), ring.damaged()
    now = datetime.now(UTC)
    if keys or damaged:
        rows = [
            (key.id, key.audience, ", ".join(sorted(key.rights)), _standing(key, now), _end(key), key.label)
            for key in keys
        ]
        rows += [(id, "", "", "damaged", "", "") for id in damaged]
        out.table(("id", "audience", "rights", "state", "until", "label"), rows)
    else:
        out.say("There are no keys, so anybody reads what is public and nobody writes over HTTP.")
    for id in damaged:
        out.note(f"battpass: {id} is not what was written. Revoke it, and give its holder another key.")
    out.document({"keys": [_document(key) for key in keys], "damaged": damaged})
    return FOUND if damaged else 0


def revoke(context: typer.Context, id: KeyId, as_json: JsonFlag = False) -> int:
    """Take a key back, for good: it is refused from the next request on."""
    out = console(context)
    key = _ring(out).revoke(id)
    assert key.revoked is not None
    out.say(f"Key {key.id} is revoked since {key.revoked:%Y-%m-%d %H:%M:%S} UTC.")
    out.document({"key": _document(key)})
    return 0


def forget(context: typer.Context, id: KeyId, as_json: JsonFlag = False) -> int:
    """Delete the label of a key, which says who holds it. The key stays as good as it was."""
    out = console(context)
    key = _ring(out).delete_label(id)
    out.say(f"Nothing says any more who holds key {key.id}.")
    out.document({"key": _document(key)})
    return 0


def _ring(out: Console) -> KeyRing:
    """Return the keys of the home; it need not be opened, so that keys can be revoked whatever its state."""
    from battpass.kg.keys import FILE, KeyRing

    if not (out.home / "home.json").exists():
        raise NotFound(
            f"There is no home of passports in {out.home}. Load passports with `battpass import FILE...`, "
            "look at the example fleet with `battpass demo`, or name a folder with --home or BATTPASS_HOME."
        )
    return KeyRing(out.home / FILE)


def _and(words: list[str]) -> str:
    """Return words as they are listed in a sentence."""
    return " and ".join((", ".join(words[:-1]), words[-1])) if len(words) > 1 else words[0]


def _standing(key: Key, now: datetime) -> str:
    if key.stands(now):
        return "stands"
    return "revoked" if key.revoked else "expired"


def _end(key: Key) -> str:
    # The last moment of a day is told as that day.
    return f"{key.expires - timedelta(microseconds=1):%Y-%m-%d}" if key.expires else ""


def _document(key: Key) -> dict[str, Any]:
    times = {"created": key.created, "expires": key.expires, "revoked": key.revoked}
    return {
        "id": key.id,
        "actor": key.actor,
        "audience": key.audience,
        "rights": sorted(key.rights),
        "label": key.label,
        "state": _standing(key, datetime.now(UTC)),
        **{name: time.isoformat() if time else None for name, time in times.items()},
    }
