"""What phones and browsers record: read by PyAV or ffmpeg, refused with the command that helps where neither is."""

from __future__ import annotations

import importlib.util
import io
import shutil
from pathlib import Path

import numpy as np
import pytest
import sound_bytes as made

from phonobench import audio, doctor
from phonobench.audio import files, media
from phonobench.types import PhonobenchError

SECONDS = 2.0
SIGNAL = (
    0.3
    * np.sin(2 * np.pi * 300 * np.arange(int(SECONDS * 48_000)) / 48_000)
    * np.repeat(np.linspace(0.1, 1, 96), 1_000)
)
FILES = {"m4a": ("mp4", "aac"), "webm": ("webm", "libopus"), "mkv": ("matroska", "flac"), "aac": ("adts", "aac"),
         "wma": ("asf", "wmav2"), "alac.m4a": ("mp4", "alac"),
         "amr": ("amr", "libopencore_amrnb")}  # fmt: skip
"""Container and coding as PyAV names them, by ending."""
ASF = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
SIGNED = {
    "m4a": b"\0\0\0\x10ftypM4A \0\0\0\0" + b"\0\0\0\x08moov" + b"\0\0\0\x28mdat" + bytes(32),
    "mp4": b"\0\0\0\x08free" + b"\0\0\0\x08moov" + b"\0\0\0\x01mdat" + (48).to_bytes(8, "big") + bytes(32),
    "webm": b"\x1a\x45\xdf\xa3\x80" + b"\x18\x53\x80\x67\x01" + b"\xff" * 7 + b"\x1f\x43\xb6\x75\xff"
    b"\xa3\xa0" + bytes(32),
    "mkv": b"\x1a\x45\xdf\xa3\x80" + b"\x18\x53\x80\x67\xa6" + b"\x1f\x43\xb6\x75\xa1\xa3\x9f" + bytes(31),
    "wma": ASF + (24).to_bytes(8, "little") + bytes(16) + (56).to_bytes(8, "little") + bytes(32),
    "amr": b"#!AMR\n" + (b"\x3c" + bytes(31)) * 2,
    "awb": b"#!AMR-WB\n" + (b"\x44" + bytes(60)) * 2,
    "aac": (b"\xff\xf1\x50\x80\x05\x1f\xfc" + bytes(33)) * 2,
}
"""Files without sound, whole in their own lengths, by ending."""


def no_av(monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(media.importlib.util, "find_spec", lambda name: None if name == "av" else find(name))


def nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    no_av(monkeypatch)
    monkeypatch.setattr(media.shutil, "which", lambda _: None)


def encoded(ending: str, channels: int = 1) -> bytes:
    """The signal in a container of PyAV."""
    av = pytest.importorskip("av", reason="PyAV is not installed")
    container, coding = FILES[ending]
    if coding not in av.codecs_available:
        pytest.skip(f"this PyAV does not write {coding}")
    target, rate = io.BytesIO(), rate_of(ending)
    samples = np.stack([SIGNAL[:: 48_000 // rate]] * channels).astype(np.float32)
    with av.open(target, "w", format=container) as output:
        output.metadata["title"] = "a title"
        stream = output.add_stream(coding, rate=rate)
        stream.bit_rate = 64_000 if rate == 48_000 else 12_200
        stream.layout = "stereo" if channels == 2 else "mono"
        resampler = av.AudioResampler(format=stream.format, layout=stream.layout, rate=rate)
        size = rate // 50
        for start in range(0, samples.shape[1], size):
            part = np.ascontiguousarray(samples[:, start : start + size])
            frame = av.AudioFrame.from_ndarray(part, format="fltp", layout=stream.layout.name)
            frame.sample_rate, frame.pts = rate, start
            for ready in resampler.resample(frame):
                output.mux(stream.encode(ready))
        output.mux(stream.encode(None))
    return target.getvalue()


def rate_of(ending: str) -> int:
    return 8_000 if ending == "amr" else 48_000


def envelope(wave: np.ndarray) -> np.ndarray:
    """Levels of twentieths of a wave."""
    frames = wave[: len(wave) // 20 * 20].reshape(20, -1)
    return np.sqrt(np.mean(frames**2, axis=1))


def assert_alike(wave: np.ndarray) -> None:
    """The level rises as that of the signal."""
    found, expected = envelope(wave), envelope(audio.resample(SIGNAL, 48_000))
    assert np.corrcoef(found, expected)[0, 1] > 0.95
    assert found.mean() == pytest.approx(expected.mean(), rel=0.35)  # AMR makes a tone softer


@pytest.mark.parametrize("decoder", ["PyAV", "ffmpeg"])
@pytest.mark.parametrize("ending", FILES)
def test_what_phones_record_is_read_whole(
    tmp_path: Path, ending: str, decoder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = made.saved(tmp_path, f"a.{ending}", encoded(ending))
    if decoder == "ffmpeg":
        no_av(monkeypatch)
        if shutil.which("ffmpeg") is None:
            pytest.skip("no ffmpeg here")
    wave = audio.read(path)
    assert len(wave) / 16_000 == pytest.approx(SECONDS, abs=0.07)
    assert_alike(wave)
    found = audio.info(path)
    assert found.rate == rate_of(ending) and found.seconds == pytest.approx(len(wave) / 16_000, abs=1e-3)


def test_a_title_in_another_character_set_does_no_harm(tmp_path: Path) -> None:
    content = encoded("m4a")
    assert b"a title" in content
    path = made.saved(tmp_path, "a.m4a", content.replace(b"a title", b"\xc4\xe3\xba\xc3\xff\xfe\xb0"))
    assert len(audio.read(path)) / 16_000 == pytest.approx(SECONDS, abs=0.07)


def test_stereo_media_are_read_as_channels(tmp_path: Path) -> None:
    path = made.saved(tmp_path, "a.m4a", encoded("m4a", channels=2))
    assert audio.info(path).channels == 2
    assert_alike(audio.read(path))


@pytest.mark.parametrize("kept", [0.5, 0.9])
@pytest.mark.parametrize("ending", FILES)
def test_media_that_were_cut_are_refused(tmp_path: Path, ending: str, kept: float) -> None:
    content = encoded(ending)
    path = made.saved(tmp_path, f"a.{ending}", content[: int(kept * len(content))])
    with pytest.raises(PhonobenchError, match=rf"a\.{ending}: (truncated|damaged)"):
        audio.read(path)


def test_media_over_the_limit_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = made.saved(tmp_path, "a.m4a", encoded("m4a"))
    monkeypatch.setattr(files, "LONGEST", 0.5)
    with pytest.raises(PhonobenchError, match=r"2\.0 s long, the limit is"):
        audio.read(path)


@pytest.mark.parametrize("ending", SIGNED)
def test_without_a_decoder_the_command_that_converts_is_named(
    tmp_path: Path, ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing(monkeypatch)
    path = made.saved(tmp_path, f"my voice.{ending}", SIGNED[ending])
    for call in (audio.read, audio.info):
        with pytest.raises(PhonobenchError) as error:
            call(path)
        message = str(error.value)
        assert message.startswith(f"{path}: ") and "\n" not in message
        assert message.endswith(f"pip install 'phonobench[media]', or convert it: ffmpeg -i '{path}' 'my voice.wav'")


@pytest.mark.parametrize("ending", SIGNED)
@pytest.mark.parametrize("lost", [1, 20])
def test_media_that_end_too_early_are_refused_by_their_own_lengths(
    tmp_path: Path, ending: str, lost: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing(monkeypatch)
    path = made.saved(tmp_path, f"a.{ending}", SIGNED[ending][:-lost])
    with pytest.raises(PhonobenchError, match=rf"a\.{ending}: truncated (MP4|WebM|WMA|AMR|AAC) file"):
        audio.read(path)


def test_an_mp4_of_a_recorder_that_broke_off_is_refused(tmp_path: Path) -> None:
    path = made.saved(tmp_path, "a.mp4", b"\0\0\0\x10ftypM4A \0\0\0\0" + b"\0\0\0\x08mdat")
    with pytest.raises(PhonobenchError, match=r"its index \(moov\) is missing"):
        audio.read(path)


def test_codings_that_libsndfile_lacks_are_refused_with_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing(monkeypatch)
    unknown = made.with_number(made.wav(made.noise()), 20, 0x0161, 2)
    spoken = made.encoded(made.noise(), "OGG", "OPUS").replace(b"OpusHead", b"Speex   ", 1)
    for content in (unknown, spoken):
        with pytest.raises(PhonobenchError, match=r"pip install 'phonobench\[media\]', or convert it: ffmpeg -i"):
            audio.read(made.saved(tmp_path, "a.sound", content))


def test_ffmpeg_that_fails_is_an_error_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    no_av(monkeypatch)
    program = made.saved(tmp_path, "ffmpeg", b"#!/bin/sh\necho 'no such thing' >&2\nexit 3\n")
    program.chmod(0o755)
    monkeypatch.setattr(media.shutil, "which", lambda _: str(program))
    with pytest.raises(PhonobenchError, match=r"a\.m4a: damaged audio \(no such thing\)"):
        audio.read(made.saved(tmp_path, "a.m4a", SIGNED["m4a"]))


def test_ffmpeg_reads_the_one_file_and_no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[str]] = []

    def run(command: list[str], **_: object) -> object:
        seen.append(command)
        raise OSError("not run")

    no_av(monkeypatch)
    monkeypatch.setattr(media.shutil, "which", lambda _: "ffmpeg")
    monkeypatch.setattr(media.subprocess, "run", run)
    path = made.saved(tmp_path, "a.m4a", SIGNED["m4a"])
    with pytest.raises(PhonobenchError, match="did not decode it"):
        audio.read(path)
    line = " ".join(seen[0])
    assert f"-protocol_whitelist file,pipe -f mov -i file:{path}" in line and "-t 31.0" in line


def test_the_doctor_says_which_decoders_are_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media, "decoders", lambda: ["PyAV 99"])
    found = doctor._sound()
    assert found.level == "ok" and "PyAV 99" in found.found and "libsndfile" in found.found
    monkeypatch.setattr(media, "decoders", list)
    found = doctor._sound()
    assert (found.level, found.remedy) == ("note", "pip install 'phonobench[media]'")
