"""Lists of recordings: what a CSV may look like, and what is refused with its line and the remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from phonobench.assessment.scoring import batch
from phonobench.types import PhonobenchError


def requests(folder: Path, content: str | bytes) -> list[batch.Request]:
    path = folder / "list.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return batch.of_list(path)


@pytest.mark.parametrize(
    ("content", "texts"),
    [
        ("file,text\na.wav,We call it bear\n", ["We call it bear"]),
        ('file,text\na.wav,"Mark, is going"\nb.wav,"He said ""no"""\n', ["Mark, is going", 'He said "no"']),
        ('file, text\na.wav, "Mark, is going"\n', ["Mark, is going"]),
        ("\ufefffile,text\r\na.wav,hello\r\n\r\nb.wav,you\r\n", ["hello", "you"]),
        ('text,speaker,file\n"one, two",7,a.wav\n', ["one, two"]),
        ('file,text\na.wav,"two lines\nof one text"\n', ["two lines\nof one text"]),
        ("file,text\na.wav,\n", [None]),
    ],
)
def test_a_list_holds_each_text_whole(tmp_path: Path, content: str, texts: list[str]) -> None:
    assert [one.text for one in requests(tmp_path, content)] == texts


def test_files_are_relative_to_the_list_and_phones_are_a_column(tmp_path: Path) -> None:
    (found,) = requests(tmp_path, "file,phones\nwaves/a.wav,W IY | K AO L\n")
    assert found == batch.Request(str(tmp_path / "waves/a.wav"), None, "W IY | K AO L")


@pytest.mark.parametrize(
    ("content", "culprit"),
    [
        ("file,text\na.wav,hello\nb.wav,Mark, is going\n", "line 3: 3 columns where the first line has 2.*quotes"),
        ("file,text\na.wav,a,b,c\n", "line 2: 4 columns"),
        ("file,text\na.wav\n", "line 2: 1 columns where .* has 2; separate them by commas"),
        ("file;text\na.wav;hello\n", "line 1: columns are separated by semicolons; separate them by commas"),
        ("file\ttext\na.wav\thello\n", "line 1: columns are separated by tabs; separate them by commas"),
        ("file,text\na.wav;hello\n", "line 2: 1 columns"),
        ("path,sentence\na.wav,hello\n", "line 1: columns are path, sentence.*file,text"),
        ("File,Text\na.wav,hello\n", "line 1: columns are File, Text.*spelled so"),
        ("file,text,Phones\na.wav,hello,W IY\n", "line 1: .*Phones"),
        ("a.wav,hello\nb.wav,you\n", "line 1: columns are a.wav, hello"),
        ("file,text,text\na.wav,hello,you\n", "line 1: two columns are named text"),
        ('file,text\na.wav,"hello\nb.wav,you\n', "line 3: .*quot"),
        ('file,text\na.wav,"hello\nb.wav,you\nc.wav,"so"\n', "line 4: .*quot"),
        ('file,text\na.wav,"hello\nb.wav,you"\n', "line 3: a quotation mark opens and does not close"),
        ('file,text\na.wav,"he" said\n', "line 2: .*double quotes"),
        ("file,text\n ,hello\n", "line 2: no file"),
        ("file,text\na.wav,hel\0lo\n", "line 2"),
        ("", "is empty"),
        ("\n\n", "is empty"),
    ],
)
def test_a_list_that_would_be_misread_is_refused_with_its_line(tmp_path: Path, content: str, culprit: str) -> None:
    with pytest.raises(PhonobenchError, match=culprit):
        requests(tmp_path, content)


@pytest.mark.parametrize("content", ["file,text\na.wav,hello\n".encode("utf-16"), b"file,text\na.wav,caf\xe9\n"])
def test_a_list_in_another_encoding_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(PhonobenchError, match="save it as CSV in UTF-8"):
        requests(tmp_path, content)
