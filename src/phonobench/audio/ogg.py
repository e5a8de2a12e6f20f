"""Ogg (Opus, Vorbis, FLAC) by its pages: whole or not, and every link of a chain (RFC 3533)."""

from __future__ import annotations

from dataclasses import dataclass

from phonobench.audio.pieces import Content, Piece, UnsupportedError, view
from phonobench.types import PhonobenchError

_LAST_PAGE = "truncated Ogg file, its last page is missing; copy it again"
_DECODED = (b"OpusHead", b"\x01vorbis", b"\x7fFLAC")


@dataclass(frozen=True)
class _Page:
    """One page: flags, stream, number in the stream, and where it lies."""

    is_first: bool
    is_last: bool
    serial: bytes
    number: int
    start: int
    data: int
    end: int


def pieces(content: Content) -> list[Piece]:
    """Each link of the chain as a file of its own.

    Raises:
        PhonobenchError: Pages are missing within or at the end, or what lies between them is none.
        UnsupportedError: Several streams at once, or another coding.
    """
    links: list[list[_Page]] = []
    for page in _pages(content):
        if page.is_first and links and links[-1][-1].is_first:
            raise UnsupportedError("Ogg with several streams")
        if page.is_first:
            _close(links)
            links.append([])
        elif not links or page.serial != links[-1][-1].serial:
            raise PhonobenchError("damaged Ogg file, a page without a beginning; copy it again")
        elif page.number != (links[-1][-1].number + 1) % (1 << 32):
            raise PhonobenchError("damaged Ogg file, pages are missing in the middle; copy it again")
        links[-1].append(page)
    _close(links)
    for link in links:
        head = content[link[0].data : link[0].data + 8]
        if not head.startswith(_DECODED):
            raise UnsupportedError("Ogg with " + ("Speex" if head.startswith(b"Speex") else "an unknown coding"))
    return [Piece((view(content, link[0].start, link[-1].end),)) for link in links]


def _close(links: list[list[_Page]]) -> None:
    if links and not links[-1][-1].is_last:
        raise PhonobenchError(_LAST_PAGE)


def _pages(content: Content) -> list[_Page]:
    found: list[_Page] = []
    at = 0
    while at < len(content):
        head = content[at : at + 27]
        if head[:4] != b"OggS":
            if found and found[-1].is_last and content.find(b"OggS", at) < 0:
                break
            if found and len(content) - at < 27 and b"OggS".startswith(head[:4]):
                raise PhonobenchError(_LAST_PAGE)
            raise PhonobenchError(f"damaged Ogg file, no page at byte {at}; copy it again")
        table = content[at + 27 : at + 27 + (head[26] if len(head) == 27 else 0)]
        end = at + 27 + len(table) + sum(table)
        if len(head) < 27 or len(table) < head[26] or end > len(content):
            raise PhonobenchError(_LAST_PAGE)
        number = int.from_bytes(head[18:22], "little")
        found.append(_Page(bool(head[5] & 2), bool(head[5] & 4), head[14:18], number, at, at + 27 + len(table), end))
        at = end
    return found
