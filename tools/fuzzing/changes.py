"""Changes to a file that know its structure: JSON by its places, safetensors by header and tensors, tables by lines."""

from __future__ import annotations

import json
import random
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

VALUES: tuple[Any, ...] = (
    None, True, False, "", "x", "7", "../../x", "/etc/passwd", "a/b", "..", "n" * 300, "a\x00b", "\u200b", "[/x]",
    "=1+1", "\x1b[31m",
    "\ud800", [], {}, [[[[1]]]], [None], {"x": 1}, 0, -1, 1, 7, 10**6, 10**9, -(2**31), 2**63, 10**400,
    0.5, -0.0, -5.0, 1e-300, 1e9, 1e308, float("nan"), float("inf"), float("-inf"),
)  # fmt: skip
"""What any place may be changed to."""
TEXTS = (b"", b"null", b"[]", b"{}", b"[" * 100_000, b'{"a":' * 50_000, b"9" * 5_000, b"\xff\xfe", b"\x00" * 64, b"NaN")
Change = Callable[[bytes, random.Random], bytes]


def places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a JSON value; of long lists some."""
    inside: list[tuple[Any, ...]] = []
    if isinstance(value, dict):
        inside = [one for key in value for one in places(value[key], (*at, key))]
    elif isinstance(value, list):
        chosen = range(len(value)) if len(value) < 12 else (0, 1, len(value) // 2, len(value) - 1)
        inside = [one for key in chosen for one in places(value[key], (*at, key))]
    return ([at] if at else []) + inside


def change_value(value: Any, rng: random.Random) -> Any:
    """One place of a JSON value changed: replaced, removed, doubled, exchanged, made larger or smaller."""
    found = places(value)
    if not found:
        return rng.choice(VALUES)
    at = rng.choice(found)
    inner = value
    for key in at[:-1]:
        inner = inner[key]
    key, old = at[-1], inner[at[-1]]
    kind = rng.randrange(8)
    if kind == 0:
        del inner[key]
    elif kind == 1 and isinstance(inner, dict):
        inner[rng.choice(["new", "", "../x", "a\x00", "__class__"])] = old
    elif kind == 2 and isinstance(old, list) and old:
        rng.shuffle(old) if rng.random() < 0.5 else old.extend(old[: rng.randrange(1, 4)])
    elif kind == 3 and isinstance(old, int | float) and not isinstance(old, bool):
        inner[key] = rng.choice([-old, old + 1, old - 1, old * 2, old * 1e6, float(old), str(old), old / 3])
    elif kind == 4 and isinstance(inner, list | dict) and len(inner) > 1:
        other = rng.choice(list(inner) if isinstance(inner, dict) else range(len(inner)))
        inner[key], inner[other] = inner[other], inner[key]
    elif kind == 5 and isinstance(old, str) and old:
        place = rng.randrange(len(old))
        inner[key] = old[:place] + rng.choice(["", "x", "\x00", "/", "\n", "é"]) + old[place + 1 :]
    else:
        inner[key] = rng.choice(VALUES)
    return value


def change_json(content: bytes, rng: random.Random) -> bytes:
    """JSON text changed in its places, or as bytes."""
    if rng.random() < 0.15:
        return change_bytes(content, rng)
    value = json.loads(content)
    for _ in range(rng.choice([1, 1, 1, 2])):
        value = change_value(value, rng)
    text = json.dumps(value)
    if rng.random() < 0.05:  # a key twice, an integer of many digits
        text = rng.choice([text.replace("{", '{"run_id": 1, ', 1), text.replace("0", "9" * 5_000, 1)])
    return text.encode()


def change_tensors(content: bytes, rng: random.Random) -> bytes:
    """A safetensors file changed in its header, its facts or its numbers."""
    if rng.random() < 0.2 or len(content) < 16:
        return change_bytes(content, rng)
    size = struct.unpack("<Q", content[:8])[0]
    header, body = json.loads(content[8 : 8 + size]), bytearray(content[8 + size :])
    names = [name for name in header if name != "__metadata__"]
    kind = rng.randrange(6)
    if kind == 0 and "__metadata__" in header:
        facts = json.loads(header["__metadata__"]["phonobench"]) if "phonobench" in header["__metadata__"] else {}
        header["__metadata__"]["phonobench"] = json.dumps(change_value(facts, rng))
    elif kind == 1:
        name = rng.choice(names)
        start, end = header[name]["data_offsets"]
        width = {"F16": 2, "F32": 4, "F64": 8, "I64": 8, "I32": 4, "I8": 1, "BOOL": 1}.get(header[name]["dtype"], 1)
        bad = {2: [b"\x00\x7e", b"\x00\x7c"], 4: [b"\x00\x00\xc0\x7f", b"\xff\xff\xff\x7f"]}.get(
            width, [b"\xff" * width]
        )
        if end - start >= width:
            place = start + width * rng.randrange((end - start) // width)
            body[place : place + width] = rng.choice(bad)
    elif kind == 2:
        header[rng.choice(["new", "../x", "a\x00b", names[0] + "x"])] = header.pop(rng.choice(names))
    elif kind == 3:
        name = rng.choice(names)
        header[name]["shape"] = rng.choice([header[name]["shape"][::-1], [], [1], [-1], [2**40, 2**40], [0]])
    elif kind == 4:
        header[rng.choice(names)]["dtype"] = rng.choice(["F16", "F32", "I64", "BF16", "F8_E4M3", "X", "BOOL", "U8"])
    else:
        header = change_value(header, rng)
    text = json.dumps(header).encode()
    length = len(text) if rng.random() < 0.95 else rng.choice([0, 2**63, len(text) + 7])
    return struct.pack("<Q", length) + text + bytes(body)


def change_lines(content: bytes, rng: random.Random) -> bytes:
    """A text of lines and fields changed: lines removed, doubled, exchanged, fields replaced."""
    if rng.random() < 0.15:
        return change_bytes(content, rng)
    lines = content.decode(errors="replace").splitlines() or [""]
    place = rng.randrange(len(lines))
    kind = rng.randrange(5)
    if kind == 0:
        del lines[place]
    elif kind == 1:
        lines.insert(place, rng.choice(lines))
    elif kind == 2:
        fields = lines[place].split(rng.choice(["\t", " ", ","]))
        fields[rng.randrange(len(fields))] = str(rng.choice(VALUES))[:400]
        lines[place] = "\t".join(fields)
    elif kind == 3:
        lines[place] = rng.choice(
            ["", "\t", "a", "a b c", "é" * 500, "\u202e", "\x00", "#", '"', "'" * 9, "1e9", "x" * 20_000]
        )
    else:
        lines[place] = lines[place][: rng.randrange(len(lines[place]) + 1)]
    return "\n".join(lines).encode(errors="surrogatepass")


def change_bytes(content: bytes, rng: random.Random) -> bytes:
    """Bytes changed without knowing them: cut, flipped, doubled, replaced."""
    kind = rng.randrange(6)
    place = rng.randrange(len(content) + 1)
    if kind == 0:
        return content[:place]
    if kind == 1:
        return rng.choice(TEXTS)
    made = bytearray(content)
    if kind == 2:
        made[place:place] = made[place : place + 64]
    elif kind == 3:
        del made[place : place + rng.choice([1, 4, 64])]
    else:
        near = rng.choice([64, 512, len(made) or 1])
        for _ in range(rng.choice([1, 2, 16])):
            if made:
                made[rng.randrange(min(near, len(made)))] = rng.choice([0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)])
    return bytes(made)


def change_place(path: Path, rng: random.Random) -> None:
    """Something else in place of a file: nothing, a folder, a loop of links, a device."""
    path.unlink()
    kind = rng.randrange(5)
    if kind == 0:
        path.mkdir()
    elif kind == 1:
        path.symlink_to(path.name)
    elif kind == 2:
        path.symlink_to("/dev/zero")
    elif kind == 3:
        path.symlink_to("nowhere")


CHANGES: dict[str, Change] = {
    ".json": change_json, ".safetensors": change_tensors, ".scp": change_lines, ".txt": change_lines,
    ".csv": change_lines, "": change_lines,
}  # fmt: skip


def change_file(path: Path, rng: random.Random) -> None:
    """Change one file in place."""
    if rng.random() < 0.03:
        change_place(path, rng)
        return
    content = path.read_bytes()
    path.write_bytes(CHANGES.get(path.suffix, change_bytes)(content, rng))
