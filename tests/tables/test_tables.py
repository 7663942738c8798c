"""What is wrong with a table is said with its place and its mend."""

from pathlib import Path

import pytest

from battpass.kg.errors import BadTable
from battpass.kg.tables import read_table


def written(folder: Path, data: bytes) -> Path:
    path = folder / "small.csv"
    path.write_bytes(data)
    return path


def test_rows_know_the_line_they_begin_on(tmp_path: Path) -> None:
    path = written(tmp_path, b'a,b\r\n1,"two\r\nlines"\r\n\r\n 3 ,4\r\n')
    rows = read_table(path, ("a", "b"))
    assert [(row.line, row["a"]) for row in rows] == [(2, "1"), (5, "3")]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"a,c\n1,2\n", r"small\.csv, line 1: no column b"),
        (b"a,b\n1,2,3\n", r"small\.csv, line 2: 3 cells under 2 columns"),
        (b"a,b\n1\n", r"small\.csv, line 2: 1 cells under 2 columns"),
        (b'a,b\n1,"2\n', r"small\.csv, line 2: .* Mend the quoting"),
        (b"a,b\n\xff,1\n", r"small\.csv: cannot be read .* UTF-8"),
        (b"a,b\n", r"small\.csv: holds no rows"),
        (b"", r"small\.csv, line 1: no column a, b"),
    ],
    ids=["column", "cells", "few-cells", "quote", "encoding", "no-rows", "empty"],
)
def test_what_is_wrong_with_a_table_is_said(tmp_path: Path, data: bytes, says: str) -> None:
    with pytest.raises(BadTable, match=says):
        read_table(written(tmp_path, data), ("a", "b"))


def test_a_missing_table_is_said(tmp_path: Path) -> None:
    with pytest.raises(BadTable, match=r"none\.csv: cannot be read"):
        read_table(tmp_path / "none.csv", ())
