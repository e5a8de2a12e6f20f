"""Which kind of sound file some bytes are: told from the bytes, never from the file's name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from phonobench.audio import au, caf, flac, iff, media_files, mpeg, ogg, riff, sphere, voc
from phonobench.audio.pieces import Content, Piece


@dataclass(frozen=True)
class Kind:
    """A kind of file: its name, what gives libsndfile its pieces, and ffmpeg's name of the container.

    `pieces` is None for kinds that libsndfile does not decode at all.
    """

    name: str
    demuxer: str
    pieces: Callable[[Content], list[Piece]] | None = None
    check: Callable[[Content], None] | None = None


def _media(name: str, demuxer: str) -> Kind:
    return Kind(name, demuxer, check=media_files.WHOLE.get(demuxer))


_WAV = Kind("WAV", "wav", riff.wav)
_MP4 = _media("MP4", "mov")
_FIRST: tuple[tuple[int, bytes, Kind], ...] = (
    (8, b"WAVE", _WAV),
    (8, b"AVI ", _media("AVI", "avi")),
    (0, b"riff\x2e\x91\xcf\x11", Kind("W64", "w64", riff.wave64)),
    (8, b"AIFF", Kind("AIFF", "aiff", iff.aiff)),
    (8, b"AIFC", Kind("AIFF", "aiff", iff.aiff)),
    (0, b".snd", Kind("AU", "au", au.au)),
    (0, b"dns.", Kind("AU", "au", au.au)),
    (0, b"caff", Kind("CAF", "caf", caf.caf)),
    (0, b"Creative Voice File\x1a", Kind("VOC", "voc", voc.voc)),
    (0, b"NIST_1A\n", Kind("NIST", "nistsphere", sphere.sphere)),
    (0, b"OggS", Kind("OGG", "ogg", ogg.pieces)),
    (0, b"fLaC", Kind("FLAC", "flac", flac.pieces)),
    *((4, box, _MP4) for box in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")),
    (0, b"\x1a\x45\xdf\xa3", _media("WebM", "matroska")),
    (0, b"#!AMR", _media("AMR", "amr")),
    (0, bytes.fromhex("3026b2758e66cf11"), _media("WMA", "asf")),
    (0, b"FLV\x01", _media("FLV", "flv")),
    (0, b"wvpk", _media("WavPack", "wv")),
    (0, b"MAC ", _media("Monkey's Audio", "ape")),
    (0, b"TTA1", _media("True Audio", "tta")),
)
"""Bytes at a place, and the kind of the files that have them there."""
_RF64, _MP3, _AAC = Kind("RF64", "wav", riff.wav), Kind("MP3", "mp3", mpeg.pieces), _media("AAC", "aac")
_FLAC = Kind("FLAC", "flac", flac.pieces)


def of(content: Content) -> Kind | None:
    """The kind of a file's content; None where it is none that is known."""
    if content[:4] in (b"RF64", b"BW64"):
        return _RF64
    for at, mark, kind in _FIRST:
        if content[at : at + len(mark)] == mark:
            return kind
    if (at := mpeg.after_tags(content, 0)) and content[at : at + 4] == b"fLaC":
        return _FLAC
    if content[at : at + 1] == b"\xff" and content[at + 1 : at + 2] and content[at + 1] & 0xF6 == 0xF0:
        return _AAC
    return _MP3 if mpeg.begins(content) is not None else None
