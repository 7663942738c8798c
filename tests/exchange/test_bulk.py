"""Folders, lines and archives give their documents one by one; what is bad is one result, never the end."""

import io
import os
import zipfile
from pathlib import Path

import pytest

from battpass.kg.errors import DocumentTooLarge
from battpass.services.exchange.bulk import (
    BadArchive,
    Document,
    Limits,
    Unreadable,
    count,
    documents,
    read_file,
)

SMALL = Limits(document=100)


def found(path: Path, limits: Limits = SMALL) -> list[tuple[str, bytes | str]]:
    """Return what a path gives: names relative to it, with their bytes, or what was said."""
    return [
        (one.name.removeprefix(str(path)), str(one.error) if one.error else one.data)
        for one in documents(path, limits)
    ]


def packed(path: Path, members: dict[str, bytes], how: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", how) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def test_a_file_is_one_document_whatever_it_is_called(tmp_path: Path) -> None:
    file = tmp_path / "passport"
    file.write_bytes(b"{}")
    assert list(documents(file)) == [Document(str(file), b"{}")]


def test_a_folder_gives_its_documents_by_name_and_nothing_else(tmp_path: Path) -> None:
    for name in (
        "b.json",
        "a/z.ttl",
        "a/b/c.nq",
        "c.JSON",
        "a.jsonld",
        "notes.txt",
        ".hidden.json",
        ".git/x.json",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    names = ["/a/b/c.nq", "/a/z.ttl", "/a.jsonld", "/b.json", "/c.JSON"]
    assert found(tmp_path) == [(name, name[1:].encode()) for name in names]
    assert count(tmp_path) == 5


def test_a_folder_that_leads_round_in_circles_ends(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b"{}")
    (tmp_path / "again").symlink_to(tmp_path)
    assert found(tmp_path) == [("/a.json", b"{}")]


def test_a_folder_without_documents_says_so(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("Dear")
    [(name, said)] = found(tmp_path)
    assert name == ""
    assert str(said).startswith("The folder holds no documents. They end in one of: .json, ")


def test_a_folder_is_read_as_it_is_asked_for(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"{number}.json").write_bytes(b"{}")
    asked = documents(tmp_path)
    next(asked)
    (tmp_path / "1.json").write_bytes(b"[]")
    assert next(asked).data == b"[]"


@pytest.mark.parametrize("name", ["x" * 300, "a\0b"], ids=["too long", "no name at all"])
def test_a_name_that_no_file_can_have_is_one_result(name: str) -> None:
    [one] = documents(Path(name))
    assert isinstance(one.error, Unreadable)
    assert str(one.error).startswith("The file cannot be read: ")
    assert count(Path(name)) == 1


def test_a_link_that_leads_nowhere_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "a.json").symlink_to(tmp_path / "gone")
    (tmp_path / "b.json").write_bytes(b"{}")
    assert found(tmp_path) == [("/b.json", b"{}")]


def test_each_line_is_a_document_with_its_number(tmp_path: Path) -> None:
    file = tmp_path / "fleet.jsonl"
    file.write_bytes(b'{"a": 1}\r\n\n  \n{"b": 2}\n{"c": 3}')
    assert found(file) == [(":1", b'{"a": 1}'), (":4", b'{"b": 2}'), (":5", b'{"c": 3}')]


def test_a_line_that_is_too_long_is_passed_over(tmp_path: Path) -> None:
    file = tmp_path / "fleet.ndjson"
    file.write_bytes(b"{}\n" + b"x" * 101 + b"\n" + b"y" * 100 + b"\n" + b"z" * 5_000_000 + b"\n[]\n")
    first, second, third, fourth, fifth = found(file)
    assert (first, third, fifth) == ((":1", b"{}"), (":3", b"y" * 100), (":5", b"[]"))
    assert "more than 100 bytes; at most 100 are read" in str(second[1])
    assert "more than 100 bytes" in str(fourth[1])


def test_a_line_as_long_as_a_document_may_be_is_whole(tmp_path: Path) -> None:
    file = tmp_path / "fleet.jsonl"
    file.write_bytes(b"x" * 100 + b"\r\n" + b"y" * 100)
    assert found(file) == [(":1", b"x" * 100), (":2", b"y" * 100)]


def test_lines_in_utf_16_are_one_refusal(tmp_path: Path) -> None:
    file = tmp_path / "fleet.jsonl"
    file.write_bytes('{"a": 1}\n{"b": 2}\n'.encode("utf-16"))
    assert found(file) == [("", "The lines are in UTF-16. Save the file as UTF-8.")]


def test_an_archive_gives_its_members_in_their_order(tmp_path: Path) -> None:
    file = packed(
        tmp_path / "fleet.zip",
        {
            "b.json": b"{}",
            "folder/": b"",
            "folder/a.ttl": b"a",
            "many.jsonl": b"1\n2\n",
            "read.me": b"no",
            "__MACOSX/._b.json": b"no",
        },
    )
    assert found(file) == [
        ("/b.json", b"{}"),
        ("/folder/a.ttl", b"a"),
        ("/many.jsonl:1", b"1"),
        ("/many.jsonl:2", b"2"),
    ]
    assert count(file) == 3


def test_an_archive_is_known_by_its_content_too(tmp_path: Path) -> None:
    file = packed(tmp_path / "fleet.bin", {"a.json": b"{}"})
    assert found(file) == [("/a.json", b"{}")]


def test_archives_and_lines_in_a_folder_are_opened(tmp_path: Path) -> None:
    packed(tmp_path / "a.zip", {"one.json": b"1"})
    (tmp_path / "b.jsonl").write_bytes(b"2\n")
    assert found(tmp_path) == [("/a.zip/one.json", b"1"), ("/b.jsonl:1", b"2")]


@pytest.mark.parametrize("name", ["../up.json", "/root.json", "a/../../up.json", "a\\up.json", "C:/up.json"])
def test_a_name_that_leads_out_of_the_archive_is_refused(tmp_path: Path, name: str) -> None:
    file = packed(tmp_path / "fleet.zip", {name: b"{}", "good.json": b"[]"})
    (_, said), last = found(file)
    assert said == "Its name leads out of the archive. Pack it again with plain names."
    assert last == ("/good.json", b"[]")
    assert {path.name for path in tmp_path.rglob("*")} == {"fleet.zip"}


@pytest.mark.parametrize("name", ["inner.zip", "inner.tar", "inner.tgz", "inner.json.gz"])
def test_an_archive_within_an_archive_is_refused(tmp_path: Path, name: str) -> None:
    file = packed(tmp_path / "fleet.zip", {name: b"x", "good.json": b"[]"})
    (_, said), last = found(file)
    assert str(said).startswith("It is an archive within an archive. Unpack it")
    assert last == ("/good.json", b"[]")


def test_an_archive_that_calls_itself_a_document_is_refused(tmp_path: Path) -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("a", b"")
    file = packed(tmp_path / "fleet.zip", {"inner.json": inner.getvalue()})
    assert "archive within an archive" in str(found(file, Limits())[0][1])


def test_an_encrypted_member_is_refused(tmp_path: Path) -> None:
    file = packed(tmp_path / "fleet.zip", {"a.json": b"{}", "b.json": b"[]"})
    data = bytearray(file.read_bytes())
    at = data.index(b"PK\x01\x02")
    data[at + 8] |= 1  # the flags in the directory
    data[6] |= 1  # and before the member
    file.write_bytes(data)
    first, last = found(file)
    assert first == ("/a.json", "It is encrypted. Pack it again without a password.")
    assert last == ("/b.json", b"[]")


def test_a_member_that_is_too_large_is_refused(tmp_path: Path) -> None:
    file = packed(tmp_path / "fleet.zip", {"a.json": os.urandom(101), "b.json": b"[]"})
    (_, said), last = found(file)
    assert "101 bytes; at most 100 are read" in str(said)
    assert last == ("/b.json", b"[]")


def test_a_member_that_lies_about_its_size_is_refused(tmp_path: Path) -> None:
    file = packed(tmp_path / "fleet.zip", {"a.json": b"x" * 10_000, "b.json": b"[]"})
    data = file.read_bytes()
    # Both places that say how large it is unpacked now say 50.
    file.write_bytes(data.replace((10_000).to_bytes(4, "little"), (50).to_bytes(4, "little")))
    (_, said), last = found(file)
    assert "cannot be unpacked" in str(said)
    assert last == ("/b.json", b"[]")


def test_a_bomb_is_refused_before_it_unpacks(tmp_path: Path) -> None:
    file = packed(tmp_path / "bomb.zip", {"a.json": b" " * 40_000_000})
    [(name, said)] = found(file)
    assert name == ""
    assert "times its size, which no passports do" in str(said)


def test_a_bomb_among_good_members_is_one_result(tmp_path: Path) -> None:
    file = tmp_path / "fleet.zip"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("bomb.json", b" " * 15_000_000, zipfile.ZIP_DEFLATED)
        archive.writestr("good.json", os.urandom(200_000))
    first, last = documents(file)
    assert isinstance(first.error, BadArchive) and "times its size" in str(first.error)
    assert len(last.data) == 200_000


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        (Limits(members=2), "The archive has 3 members; at most 2 are unpacked. Divide it."),
        (Limits(unpacked=5), "The archive unpacks to 6 bytes; at most 5 are read. Divide it."),
    ],
)
def test_an_archive_beyond_the_limits_is_refused(tmp_path: Path, limits: Limits, said: str) -> None:
    file = packed(tmp_path / "fleet.zip", {f"{number}.json": b"{}" for number in range(3)})
    assert found(file, limits) == [("", said)]


@pytest.mark.parametrize("kept", [0, 10, 60, -30, -1])
def test_an_archive_that_is_cut_off_is_one_refusal(tmp_path: Path, kept: int) -> None:
    file = packed(tmp_path / "fleet.zip", {"a.json": b"{}", "b.json": b"[]"})
    file.write_bytes(file.read_bytes()[:kept])
    [(name, said)] = found(file)
    assert name == ""
    assert str(said).startswith("This is no ZIP archive that can be read: ")


def test_a_member_that_is_damaged_is_one_result(tmp_path: Path) -> None:
    file = packed(tmp_path / "fleet.zip", {"a.json": b"a" * 50, "b.json": b"[]"}, zipfile.ZIP_STORED)
    file.write_bytes(file.read_bytes().replace(b"aaaa", b"aaab", 1))
    (_, said), last = found(file)
    assert str(said).startswith("It cannot be unpacked: Bad CRC-32")
    assert last == ("/b.json", b"[]")


def test_an_archive_of_nothing_says_so(tmp_path: Path) -> None:
    file = packed(tmp_path / "fleet.zip", {"read.me": b"no"})
    assert "The archive holds no documents" in str(found(file)[0][1])


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    [one] = documents(tmp_path / "gone.json")
    assert isinstance(one.error, Unreadable)
    assert "There is no such file" in str(one.error)


def test_one_file_is_read_up_to_its_limit(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_bytes(b"x" * 11)
    with pytest.raises(DocumentTooLarge, match="11 bytes; at most 10"):
        read_file(file, 10)
    assert read_file(file, 11) == b"x" * 11


def test_a_pipe_is_read_once_and_up_to_its_limit(tmp_path: Path) -> None:
    source, sink = os.pipe()
    with os.fdopen(sink, "wb") as file:
        file.write(b"PK\x03\x04 but no archive")
    [one] = documents(Path(f"/dev/fd/{source}"))
    os.close(source)
    assert one.data == b"PK\x03\x04 but no archive"
