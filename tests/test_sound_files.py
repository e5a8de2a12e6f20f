"""Sound files whose headers say other lengths than they have: read to their end, or refused by name."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import sound_bytes as made
import soundfile

from phonobench import audio
from phonobench.audio import mpeg
from phonobench.types import PhonobenchError

NOISE = made.noise()
EXACT = NOISE.astype(np.float32) / 2**15
W64_SIZE = 16  # of a chunk's size behind its name's last letters


def read(folder: Path, content: bytes, name: str = "a.sound") -> np.ndarray:
    return audio.read(made.saved(folder, name, content))


def refusal(folder: Path, content: bytes) -> str:
    path = made.saved(folder, "a.sound", content)
    with pytest.raises(PhonobenchError) as error:
        audio.read(path)
    message = str(error.value)
    assert message.startswith(f"{path}: ") and "\n" not in message
    return message.removeprefix(f"{path}: ")


WHOLE: dict[str, bytes] = {
    "wav": made.wav(NOISE),
    "wav extensible": made.encoded(NOISE, "WAVEX"),
    "wav big-endian": made.encoded(NOISE, "WAV", endian="BIG"),
    "rf64": made.encoded(NOISE, "RF64"),
    "w64": made.encoded(NOISE, "W64"),
    "aiff": made.encoded(NOISE, "AIFF"),
    "aiff-c": made.encoded(NOISE, "AIFF", endian="LITTLE"),
    "au": made.encoded(NOISE, "AU"),
    "au little-endian": made.encoded(NOISE, "AU", endian="LITTLE"),
    "caf": made.encoded(NOISE, "CAF"),
    "voc": made.encoded(NOISE, "VOC"),
    "voc of many blocks": made.voc(NOISE, 7),
    "sphere": made.encoded(NOISE, "NIST"),
    "flac": made.encoded(NOISE, "FLAC"),
}


@pytest.mark.parametrize("kind", WHOLE)
def test_a_whole_file_gives_every_sample_and_no_other(tmp_path: Path, kind: str) -> None:
    path = made.saved(tmp_path, "a.sound", WHOLE[kind])
    assert np.array_equal(audio.read(path), EXACT)
    assert (audio.info(path).samples, audio.info(path).rate, audio.info(path).channels) == (len(NOISE), made.RATE, 1)


@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.95])
@pytest.mark.parametrize("kind", WHOLE)
def test_a_file_that_was_cut_short_is_refused(tmp_path: Path, kind: str, share: float) -> None:
    content = WHOLE[kind]
    message = refusal(tmp_path, content[: int(share * len(content))])
    assert re.match(r"(truncated|damaged)", message)


@pytest.mark.parametrize("kind", ["wav", "rf64", "w64", "aiff", "au", "caf", "sphere"])
def test_the_share_that_is_missing_is_named(tmp_path: Path, kind: str) -> None:
    content = WHOLE[kind]
    cut = content[: len(content) - int(0.4 * 2 * len(NOISE))]
    assert "40 % of it is missing" in refusal(tmp_path, cut)
    with pytest.raises(PhonobenchError, match="40 % of it is missing"):
        audio.info(made.saved(tmp_path, "a.sound", cut))


def patched(kind: str, *changes: tuple[int, int, int, str]) -> bytes:
    content = WHOLE[kind]
    for at, value, width, order in changes:
        content = made.with_number(content, at, value, width, order)
    return content


DS64 = made.behind(WHOLE["rf64"], b"ds64") + 4
W64_DATA = made.behind(WHOLE["w64"], b"data") + 12
SSND, COMM = (made.behind(WHOLE["aiff"], name) for name in (b"SSND", b"COMM"))
CAF_DATA = made.behind(WHOLE["caf"], b"data")
STREAMED: dict[str, bytes] = {
    "wav 0": made.wav(NOISE, data=0),
    "wav 0 within 0": made.wav(NOISE, data=0, riff=0),
    "wav 0 within the header": made.wav(NOISE, data=0, riff=36),
    "wav of ffmpeg": made.wav(NOISE, data=0xFFFFFFFF, riff=0xFFFFFFFF),
    "wav of sox": made.wav(NOISE, data=0x7FFFF000, riff=0x7FFFF024),
    "wav of arecord": made.wav(NOISE, data=0x80000000, riff=0x80000024),
    "wav that counts its header": made.wav(NOISE, data=2 * len(NOISE) + 44),
    "wav that doubles": made.wav(NOISE, data=4 * len(NOISE)),
    "wav of half": made.wav(NOISE, data=len(NOISE)),
    "wav of half within half": made.wav(NOISE, data=len(NOISE), riff=36 + len(NOISE)),
    "wav of one sample": made.wav(NOISE, data=2, riff=38),
    "rf64 -1": patched("rf64", (DS64, -1, 8, "little"), (DS64 + 8, -1, 8, "little")),
    "rf64 0": patched("rf64", (DS64, 0, 8, "little"), (DS64 + 8, 0, 8, "little")),
    "w64 -1": patched("w64", (16, -1, 8, "little"), (W64_DATA, -1, 8, "little")),
    "w64 0": patched("w64", (16, 0, 8, "little"), (W64_DATA, 0, 8, "little")),
    "w64 of the header": patched("w64", (W64_DATA, 24, 8, "little")),
    "aiff 0": patched("aiff", (4, 0, 4, "big"), (SSND, 0, 4, "big"), (COMM + 6, 0, 4, "big")),
    "aiff -1": patched("aiff", (4, -1, 4, "big"), (SSND, -1, 4, "big"), (COMM + 6, -1, 4, "big")),
    "aiff of half": patched("aiff", (SSND, 8 + len(NOISE), 4, "big"), (COMM + 6, len(NOISE) // 2, 4, "big")),
    "au -1": patched("au", (8, -1, 4, "big")),
    "au 0": patched("au", (8, 0, 4, "big")),
    "au of half": patched("au", (8, len(NOISE), 4, "big")),
    "caf -1": patched("caf", (CAF_DATA, -1, 8, "big")),
    "caf of half": patched("caf", (CAF_DATA, 4 + len(NOISE), 8, "big")),
    "flac 0": made.with_number(WHOLE["flac"], 22, 0, 4),
    "flac of half": made.with_number(WHOLE["flac"], 22, len(NOISE) // 2, 4, "big"),
}


@pytest.mark.parametrize("kind", STREAMED)
def test_a_streamed_file_is_read_to_its_end(tmp_path: Path, kind: str) -> None:
    assert np.array_equal(read(tmp_path, STREAMED[kind]), EXACT)


CHUNKS = {
    "list": b"LIST" + (12).to_bytes(4, "little") + b"INFOISFT" + bytes(4),
    "unknown": b"abcd" + (600).to_bytes(4, "little") + bytes(600),
    "several": b"abcd" + (600).to_bytes(4, "little") + bytes(600) + b"bext" + (8).to_bytes(4, "little") + bytes(8),
    "id3": b"ID3\x04" + bytes(400),
    "id3 of the end": b"TAG" + bytes(125),
    "list cut short": b"LIST" + (900).to_bytes(4, "little") + bytes(100),
}


@pytest.mark.parametrize("chunk", CHUNKS)
def test_what_follows_the_samples_of_a_wav_file_is_not_read_as_sound(tmp_path: Path, chunk: str) -> None:
    assert np.array_equal(read(tmp_path, made.wav(NOISE, after=CHUNKS[chunk])), EXACT)


def test_an_empty_wav_file_before_further_chunks_is_empty(tmp_path: Path) -> None:
    assert refusal(tmp_path, made.wav(NOISE[:0], after=CHUNKS["list"])).startswith("empty")


@pytest.mark.parametrize("kind", ["wav", "rf64", "w64", "aiff", "au", "caf", "flac"])
def test_several_files_in_one_are_refused(tmp_path: Path, kind: str) -> None:
    assert refusal(tmp_path, WHOLE[kind] + WHOLE[kind]).startswith("several")


@pytest.mark.parametrize("fault", ["no end", "cut", "other rate", "repeat"])
def test_blocks_of_voc_that_are_no_one_sound_are_refused(tmp_path: Path, fault: str) -> None:
    whole = made.voc(NOISE, 3, end=b"")
    other = b"\x09" + (14).to_bytes(3, "little") + (8_000).to_bytes(4, "little") + b"\x10\x01\x04\0" + bytes(6)
    content = {
        "no end": whole,
        "cut": whole[:-9] + b"",
        "other rate": whole + other + b"\0",
        "repeat": whole + b"\x06\x02\0\0\x05\0\0",
    }[fault]
    expected = {
        "no end": "truncated",
        "cut": "truncated",
        "other rate": "its blocks",
        "repeat": "a VOC file that repeats",
    }
    assert refusal(tmp_path, content).startswith(expected[fault])


def test_silence_blocks_of_voc_are_silence(tmp_path: Path) -> None:
    silence = b"\x03\x03\0\0" + (799).to_bytes(2, "little") + b"\x00"
    wave = read(tmp_path, made.voc(NOISE, 1, end=b"") + silence + b"\0")
    assert np.array_equal(wave, np.concatenate([EXACT, np.zeros(800, np.float32)]))


def test_samples_of_sphere_that_its_header_does_not_count_are_noticed(tmp_path: Path) -> None:
    assert "by its header" in refusal(tmp_path, WHOLE["sphere"] + bytes(2_000))


# Ogg


def ogg(samples: np.ndarray = NOISE, subtype: str = "OPUS") -> bytes:
    return made.encoded(samples, "OGG", subtype)


@pytest.mark.parametrize("subtype", ["OPUS", "VORBIS"])
def test_every_link_of_a_chain_is_read(tmp_path: Path, subtype: str) -> None:
    first, second = ogg(NOISE, subtype), ogg(made.noise(1.0, seed=2), subtype)
    expected = [read(tmp_path, first), read(tmp_path, second)]
    assert np.array_equal(read(tmp_path, first + second), np.concatenate(expected))
    assert audio.info(made.saved(tmp_path, "a.ogg", first + second)).samples == 3 * made.RATE


@pytest.mark.parametrize("subtype", ["OPUS", "VORBIS"])
def test_a_chain_of_which_a_link_was_cut_is_refused(tmp_path: Path, subtype: str) -> None:
    one = ogg(NOISE, subtype)
    for content in (one + one[: len(one) // 2], one[: one.rindex(b"OggS")] + one, one + one[:20]):
        assert refusal(tmp_path, content).startswith("truncated Ogg file, its last page")


def test_links_of_other_rates_are_refused_with_the_command_that_helps(tmp_path: Path) -> None:
    message = refusal(tmp_path, ogg() + made.encoded(made.noise(1.0, 8_000), "OGG", "OPUS", 8_000))
    assert "different rates" in message and "ffmpeg -i" in message


def test_pages_that_are_missing_in_the_middle_are_noticed(tmp_path: Path) -> None:
    content = ogg(made.noise(10.0))
    starts = [one.start() for one in re.finditer(b"OggS", content)]
    assert len(starts) > 6
    assert "pages are missing" in refusal(tmp_path, content[: starts[3]] + content[starts[4] :])


def test_bytes_behind_the_last_page_do_no_harm(tmp_path: Path) -> None:
    assert np.array_equal(read(tmp_path, ogg() + bytes(500)), read(tmp_path, ogg()))


# MP3


def frames(content: bytes) -> bytes:
    """The frames behind the first, which counts them."""
    first = mpeg.frame(content, 0)
    assert first is not None
    return content[first.size :]


def seconds(folder: Path, content: bytes) -> float:
    return len(read(folder, content)) / made.RATE


SPEECHLIKE = np.concatenate([np.zeros(8_000, np.int16), made.noise(1.5), np.zeros(4_000, np.int16), made.noise(1.0)])


@pytest.mark.parametrize("rate", [16_000, 22_050, 44_100])
@pytest.mark.parametrize("mode", ["VARIABLE", "CONSTANT", "AVERAGE"])
def test_mp3_without_a_header_that_counts_its_frames_is_read_to_its_end(tmp_path: Path, mode: str, rate: int) -> None:
    """Silence first: the length that is guessed from the first frames is far off."""
    content = made.mp3(SPEECHLIKE, mode, rate)
    path = made.saved(tmp_path, "a.mp3", frames(content))
    whole = len(SPEECHLIKE) / rate
    assert whole <= audio.info(path).seconds <= whole + 0.13
    assert len(audio.read(path)) / made.RATE == pytest.approx(audio.info(path).seconds, abs=1e-3)


def test_the_delay_of_mp3_that_its_header_names_is_cut_off(tmp_path: Path) -> None:
    assert seconds(tmp_path, made.mp3(SPEECHLIKE)) == pytest.approx(len(SPEECHLIKE) / made.RATE, abs=1e-3)


@pytest.mark.parametrize("first", ["with", "without"])
@pytest.mark.parametrize("second", ["with", "without"])
def test_mp3_files_in_a_row_are_read_to_the_last(tmp_path: Path, first: str, second: str) -> None:
    content = made.mp3(SPEECHLIKE)
    parts = [content if has == "with" else frames(content) for has in (first, second)]
    assert seconds(tmp_path, b"".join(parts)) == pytest.approx(2 * len(SPEECHLIKE) / made.RATE, abs=0.2)


TAGS = {
    "id3": b"ID3\x04\0\0" + bytes((0, 0, 3, 5)) + b"\xff\xfb\x90\x64" * 97 + b"x",
    "id3 of the end": b"TAG" + b"\xff" * 125,
    "ape": b"APETAGEX" + (2000).to_bytes(4, "little") + (40).to_bytes(4, "little") + bytes(16) + b"\xff" * 40,
    "zeros": bytes(1_000),
}


@pytest.mark.parametrize("tag", TAGS)
def test_tags_before_between_and_behind_mp3_are_no_sound(tmp_path: Path, tag: str) -> None:
    content = made.mp3(SPEECHLIKE)
    expected = read(tmp_path, content)
    assert np.array_equal(read(tmp_path, TAGS[tag] + content + TAGS[tag]), expected)
    assert len(read(tmp_path, content + TAGS[tag] + content)) == 2 * len(expected)


@pytest.mark.parametrize("kept", [0.2, 0.5, 0.9])
def test_mp3_that_was_cut_is_refused(tmp_path: Path, kept: float) -> None:
    content = made.mp3(SPEECHLIKE)
    bounds = [0]
    while (one := mpeg.frame(content, bounds[-1])) is not None:
        bounds.append(bounds[-1] + one.size)
    at_frame = bounds[int(kept * len(bounds))]
    assert re.match(r"truncated MP3 file, \d+ % of it is missing", refusal(tmp_path, content[:at_frame]))
    assert refusal(tmp_path, content[: at_frame + 40]).startswith("truncated MP3 file, it ends within a frame")
    assert refusal(tmp_path, frames(content[: at_frame + 40])).startswith("truncated MP3 file, it ends within a frame")


def test_damage_in_the_middle_of_mp3_is_refused(tmp_path: Path) -> None:
    content = bytearray(made.mp3(SPEECHLIKE))
    middle = len(content) // 2
    content[middle : middle + 1_500] = b"\x55" * 1_500
    assert refusal(tmp_path, bytes(content)).startswith("damaged MP3 file, no frames from byte")


def test_mp3_parts_of_other_rates_are_refused(tmp_path: Path) -> None:
    message = refusal(tmp_path, made.mp3(SPEECHLIKE) + made.mp3(SPEECHLIKE, rate=44_100))
    assert "different rates" in message


@pytest.mark.parametrize("has_header", [True, False])
def test_mp3_in_wav_is_read(tmp_path: Path, has_header: bool) -> None:
    content = made.mp3(SPEECHLIKE) if has_header else frames(made.mp3(SPEECHLIKE))
    assert np.array_equal(read(tmp_path, made.mp3_in_wav(content)), read(tmp_path, content))


# FLAC


def test_flac_of_unknown_length_that_was_cut_is_refused(tmp_path: Path) -> None:
    content = STREAMED["flac 0"]
    for share in (0.3, 0.7, 0.99):
        message = refusal(tmp_path, content[: int(share * len(content))])
        assert message.startswith("truncated FLAC file, it ends within a frame")


def test_flac_that_names_more_samples_than_it_has_is_refused(tmp_path: Path) -> None:
    content = made.with_number(WHOLE["flac"], 22, 36_000 * made.RATE, 4, "big")
    assert re.match(r"truncated FLAC file, 100 % .*\(32000 of 576000000 samples", refusal(tmp_path, content))


@pytest.mark.parametrize("blocks", [{}, {"compression_level": 0.0}, {"compression_level": 1.0}])
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "PCM_S8"])
def test_the_last_frame_of_flac_tells_its_length(
    tmp_path: Path, subtype: str, channels: int, blocks: dict[str, float]
) -> None:
    quiet = np.stack([SPEECHLIKE] * channels, axis=1)[:45_678]
    content = made.encoded(quiet, "FLAC", subtype, 44_100, **blocks)
    streamed = made.saved(tmp_path, "b.flac", made.with_number(content, 22, 0, 4))
    assert audio.info(streamed).samples == 45_678
    assert np.array_equal(audio.read(streamed), read(tmp_path, content))


def test_tags_around_flac_do_no_harm(tmp_path: Path) -> None:
    for content in (TAGS["id3"] + WHOLE["flac"], WHOLE["flac"] + TAGS["id3 of the end"], WHOLE["flac"] + bytes(100)):
        assert np.array_equal(read(tmp_path, content), EXACT)


# Bounds


def test_ten_hours_are_refused_before_anything_is_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(soundfile.SoundFile, "read", lambda *_, **__: pytest.fail("decoded"))
    size = 36_000 * made.RATE * 2
    for name, content in (
        ("a.wav", made.wav(NOISE[:0], data=size, riff=36 + size)),
        ("b.au", WHOLE["au"][:8] + b"\xff" * 4),
    ):
        path = made.saved(tmp_path, name, content + (WHOLE["au"][12:24] if name == "b.au" else b""))
        with path.open("r+b") as file:
            file.truncate(path.stat().st_size + size)  # a hole: takes no disk
        with pytest.raises(PhonobenchError, match=r"36000\.0 s long, the limit is 30 s"):
            audio.read(path)


def test_a_long_mp3_is_refused_by_its_frames(tmp_path: Path) -> None:
    content = frames(made.mp3(SPEECHLIKE)) * 12
    assert re.match(r"\d\d\.\d s long, the limit is 30 s", refusal(tmp_path, content))


@pytest.mark.parametrize("rate", [1_000, 4_000, 5_000])
def test_a_rate_at_which_too_little_of_speech_is_there_is_refused(tmp_path: Path, rate: int) -> None:
    message = refusal(tmp_path, made.encoded(made.noise(1.0, rate), "WAV", rate=rate))
    assert message.startswith(f"sample rate {rate} Hz, too little of the speech is there")
    with pytest.raises(PhonobenchError, match="too little of the speech is there"):
        audio.from_array(made.noise(1.0, rate), rate)


@pytest.mark.parametrize(("rate", "warned"), [(4_000, True), (6_000, False), (8_000, False), (16_000, False)])
def test_speech_without_its_upper_band_is_warned_of(rate: int, warned: bool) -> None:
    low = audio.resample(made.noise(2.0, rate).astype(np.float32) / 2**15, rate)
    found = audio.sound(low, made.RATE)
    assert ("bandwidth" in {note.code for note in found.notes}) is warned


# Names


@pytest.mark.parametrize("name", ["a.raw", "a.RAW", "a.pcm", "a.sln"])
def test_samples_without_a_header_are_refused_by_name(tmp_path: Path, name: str) -> None:
    path = made.saved(tmp_path, name, NOISE.tobytes())
    for call in (audio.read, audio.info):
        with pytest.raises(PhonobenchError, match=r"samples without a header.*ffmpeg -f s16le"):
            call(path)


def test_the_content_decides_and_not_the_name(tmp_path: Path) -> None:
    for name in ("a.raw", "a.mp3", "a", "a.txt"):
        assert np.array_equal(read(tmp_path, WHOLE["flac"], name), EXACT)


# Damage


def damaged(rng: np.random.Generator, content: bytes) -> bytes:
    changed = bytearray(content)
    for at in rng.integers(0, min(len(changed), 400), rng.integers(1, 8)):
        changed[at] = rng.choice([0, 1, 0x7F, 0x80, 0xFF, rng.integers(256)])
    end = len(changed) if rng.random() < 0.5 else int(rng.integers(1, len(changed)))
    return bytes(changed[:end])


SHORT: dict[str, Callable[[], bytes]] = {
    **{kind: (lambda kind=kind: WHOLE[kind]) for kind in WHOLE},  # type: ignore[misc]
    "opus": ogg,
    "mp3": lambda: made.mp3(SPEECHLIKE),
    "mp3 in wav": lambda: made.mp3_in_wav(made.mp3(SPEECHLIKE)),
}


@pytest.mark.parametrize("kind", SHORT)
def test_damaged_headers_end_in_a_wave_or_in_one_clear_error(tmp_path: Path, kind: str) -> None:
    rng, content = np.random.default_rng(len(kind)), SHORT[kind]()
    refused = 0
    for _ in range(60):
        path = made.saved(tmp_path, "a.sound", damaged(rng, content))
        try:
            audio.read(path)
        except PhonobenchError as error:
            refused += 1
            assert str(error).startswith(f"{path}: ") and "\n" not in str(error)
    assert refused > 5
