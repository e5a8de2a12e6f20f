"""Sound files of every kind that users have: the right wave, or one error that says what to do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from phonobench import audio
from phonobench.types import PhonobenchError


def sine(rate: int = 16_000, seconds: float = 1.0, pitch: float = 440.0, level: float = 0.5) -> np.ndarray:
    return level * np.sin(2 * np.pi * pitch * np.arange(int(rate * seconds)) / rate)


def written(path: Path, wave: np.ndarray, rate: int = 16_000, subtype: str = "PCM_16", **more: str) -> Path:
    soundfile.write(path, wave, rate, subtype=subtype, **more)
    return path


def noise_of(wave: np.ndarray, truth: np.ndarray) -> float:
    """Error against a known wave in dB, the first and last 50 ms left out."""
    inner = slice(800, -800)
    return 10 * np.log10(np.mean((wave - truth)[inner] ** 2) / np.mean(truth[inner] ** 2))


@pytest.mark.parametrize(
    ("subtype", "step"),
    [
        ("PCM_16", 2**-15),
        ("PCM_24", 2**-23),
        ("PCM_32", 2**-24),
        ("FLOAT", 2**-24),
        ("DOUBLE", 2**-24),
        ("PCM_U8", 2**-7),
    ],
)
def test_every_sample_format_reads_at_its_scale(tmp_path, subtype, step):
    wave = audio.read(written(tmp_path / "a.wav", sine(), subtype=subtype))
    assert wave.dtype == np.float32 and wave.shape == (16_000,)
    assert np.abs(wave - sine()).max() <= step


@pytest.mark.parametrize("suffix", ["flac", "ogg", "mp3"])
def test_other_containers_read_too(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    soundfile.write(path, sine(), 16_000)
    wave = audio.read(path)
    assert abs(len(wave) - 16_000) < 2_500  # MP3 pads
    assert np.sqrt(np.mean(wave[4000:12000] ** 2)) == pytest.approx(0.5 / np.sqrt(2), rel=0.02)


def test_opus_keeps_its_16_khz_and_its_length(tmp_path):
    path = written(tmp_path / "a.opus", sine(), subtype="OPUS", format="OGG")
    assert audio.info(path) == audio.Info(samples=16_000, rate=16_000, channels=1, format="OGG/OPUS")
    assert audio.read(path).shape == (16_000,)


@pytest.mark.parametrize("rate", [8_000, 22_050, 44_100, 48_000])
def test_other_rates_become_16_khz_without_a_shift_in_time(tmp_path, rate):
    wave = audio.read(written(tmp_path / "a.wav", sine(rate), rate, subtype="FLOAT"))
    assert len(wave) == 16_000
    assert noise_of(wave, sine()) < -80


def test_what_16_khz_cannot_hold_is_filtered_out_and_does_not_alias():
    above = audio.resample(sine(48_000, pitch=10_000.0), 48_000)
    assert np.abs(above[800:-800]).max() < 1e-4  # without the filter it would sound at 6 kHz at full level


def test_resample_at_16_khz_changes_nothing_and_takes_mono_only():
    wave = sine().astype(np.float32)
    assert audio.resample(wave, 16_000) is wave
    with pytest.raises(PhonobenchError, match="mono"):
        audio.resample(np.zeros((100, 2)), 8_000)


def test_stereo_is_the_mean_of_channels_that_agree(tmp_path):
    both = np.stack([sine(), sine() / 2], axis=1)
    found = audio.load(written(tmp_path / "a.wav", both, subtype="FLOAT"))
    assert np.abs(found.wave - 0.75 * sine()).max() < 1e-6
    assert "channel" not in {note.code for note in found.notes}


@pytest.mark.parametrize(
    ("dtype", "low", "high"),
    [(np.int8, -128, 127), (np.int16, -32768, 32767), (np.int32, -(2**31), 2**31 - 1), (np.uint8, 0, 255)],
)
def test_integer_arrays_are_scaled_to_full_scale(dtype, low, high):
    samples = np.full(4_000, low, dtype=dtype)
    samples[::2] = high
    wave = audio.from_array(samples, 16_000)
    assert wave.dtype == np.float32
    assert wave.min() == -1.0 and 0.99 <= wave.max() <= 1.0


def test_a_wave_from_an_array_is_the_wave_from_the_file(tmp_path):
    path = written(tmp_path / "a.wav", sine(44_100), 44_100)
    samples, rate = soundfile.read(path, dtype="int16")
    assert np.array_equal(audio.from_array(samples, rate), audio.read(path))


@pytest.mark.parametrize(
    ("samples", "rate", "complaint"),
    [
        (np.zeros(0), 16_000, "empty"),
        (np.zeros(1_000), 16_000, "62 ms"),
        (np.zeros(16_000 * 31), 16_000, "31.0 s long"),
        (np.full(16_000, np.nan), 16_000, "16000 of 16000 samples are NaN"),
        (np.where(np.arange(16_000) == 5, np.inf, 0.0), 16_000, "1 of 16000 samples are NaN or infinite"),
        (20_000 * sine(), 16_000, "scale them to -1..1"),
        (np.zeros(16_000, dtype=np.int64), 16_000, "type int64"),
        (np.zeros(16_000, dtype=bool), 16_000, "type bool"),
        (np.zeros((4, 4, 4)), 16_000, r"shape \(4, 4, 4\)"),
        (np.zeros((2, 16_000)), 16_000, r"shape \(2, 16000\)"),
        (np.zeros(16_000), 16, "sample rate 16 Hz"),
    ],
)
def test_arrays_that_are_no_speech_are_refused(samples, rate, complaint):
    with pytest.raises(PhonobenchError, match=complaint) as error:
        audio.from_array(samples, rate, source="mine.wav")
    assert str(error.value).startswith("mine.wav: ") and "\n" not in str(error.value)


def test_an_over_long_file_is_refused_unless_allowed(tmp_path):
    path = written(tmp_path / "long.wav", np.tile(sine(8_000), 31), 8_000)
    with pytest.raises(PhonobenchError, match=r"long\.wav: 31\.0 s long, the limit is 30 s; cut"):
        audio.read(path)
    assert len(audio.read(path, allow_long=True)) == 31 * 16_000


def test_exactly_the_limit_is_allowed(tmp_path):
    assert len(audio.read(written(tmp_path / "a.wav", np.tile(sine(8_000), 30), 8_000))) == 30 * 16_000


def test_nan_in_a_float_file_is_named(tmp_path):
    wave = sine()
    wave[7] = np.nan
    with pytest.raises(PhonobenchError, match=r"a\.wav: 1 of 16000 samples are NaN"):
        audio.read(written(tmp_path / "a.wav", wave, subtype="FLOAT"))


@pytest.mark.parametrize(
    ("suffix", "subtype"), [("wav", "PCM_16"), ("flac", "PCM_16"), ("ogg", "VORBIS"), ("ogg", "OPUS")]
)
@pytest.mark.parametrize("kept", [0.3, 0.7, 0.97])
def test_a_truncated_file_is_refused(tmp_path, suffix, subtype, kept):
    generator = np.random.default_rng(1)
    whole = written(tmp_path / f"whole.{suffix}", 0.1 * generator.standard_normal(80_000), subtype=subtype)
    content = whole.read_bytes()
    cut = tmp_path / f"cut.{suffix}"
    cut.write_bytes(content[: int(kept * len(content))])
    assert len(audio.read(whole)) == 80_000
    with pytest.raises(PhonobenchError, match=rf"cut\.{suffix}: (truncated|damaged|not a readable)"):
        audio.read(cut)


def test_an_ogg_file_that_lacks_whole_pages_is_refused(tmp_path):
    path = written(
        tmp_path / "a.opus", 0.1 * np.random.default_rng(1).standard_normal(80_000), subtype="OPUS", format="OGG"
    )
    content = path.read_bytes()
    path.write_bytes(content[: content.rfind(b"OggS")])
    with pytest.raises(PhonobenchError, match=r"a\.opus: truncated Ogg file, its last page is missing"):
        audio.read(path)


@pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
def test_a_damaged_page_in_the_middle_of_an_ogg_file_is_noticed(tmp_path, subtype):
    path = written(tmp_path / "a.ogg", 0.1 * np.random.default_rng(1).standard_normal(160_000), subtype=subtype)
    content = bytearray(path.read_bytes())
    for at in range(len(content) // 2, len(content) // 2 + 2_000):
        content[at] ^= 0x5A
    path.write_bytes(content)
    with pytest.raises(PhonobenchError, match=r"a\.ogg: (truncated|damaged)"):
        audio.read(path)


def test_a_streamed_wav_that_declares_no_length_reads(tmp_path):
    path = written(tmp_path / "a.wav", sine())
    content = bytearray(path.read_bytes())
    at = content.find(b"data")
    content[at + 4 : at + 8] = b"\xff\xff\xff\xff"
    path.write_bytes(content)
    assert len(audio.read(path)) == 16_000


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("nothing.wav", b"", "empty file"),
        ("notes.wav", b"these are not samples " * 50, "not a readable sound file"),
        ("page.mp3", b"<html>404</html>" * 50, "not a readable sound file"),
        ("header.wav", b"RIFF\x24\x00\x00\x00WAVEfmt ", "truncated WAV file"),
    ],
)
def test_files_that_are_no_audio_are_refused(tmp_path, name, content, complaint):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(PhonobenchError, match=f"{name}: {complaint}"):
        audio.read(tmp_path / name)


def test_a_wav_without_samples_a_missing_file_and_a_folder_are_refused(tmp_path):
    with pytest.raises(PhonobenchError, match=r"a\.wav: empty, it holds no samples"):
        audio.read(written(tmp_path / "a.wav", np.zeros(0)))
    with pytest.raises(PhonobenchError, match=r"gone\.wav: no such file"):
        audio.read(tmp_path / "gone.wav")
    with pytest.raises(PhonobenchError, match="a folder"):
        audio.read(tmp_path)


def test_silence_and_clipping_are_told_apart_from_speech():
    assert audio.faults(sine()) == []
    assert audio.faults(sine(level=0.999)) != []  # a full-scale sine rests at its peak as a clipped wave does
    assert audio.faults(np.zeros(16_000)) == ["silent: no sample reaches -60 dBFS"]
    assert audio.faults(sine(level=0.0009)) == ["silent: no sample reaches -60 dBFS"]
    assert audio.faults(sine(level=0.0011)) == []
    assert audio.faults(np.clip(sine(level=2.0), -1, 1))[0].startswith("clipped: ")
    speech = np.random.default_rng(0).laplace(scale=0.05, size=16_000)
    assert audio.faults(0.99 * speech / np.abs(speech).max()) == []
    assert audio.faults(np.zeros(0)) == ["empty: no samples"]
    assert audio.faults(np.array([0.1, np.nan])) == ["1 samples are NaN or infinite"]


def test_a_wave_is_brought_to_a_level_by_its_loud_parts_and_silence_is_left_alone():
    time = np.arange(16_000) / 16_000
    tone = (0.01 * np.sin(2 * np.pi * 200 * time)).astype(np.float32)
    spoken = np.concatenate([np.zeros(32_000, np.float32), tone])  # pauses make no recording softer
    for gain in (0.03, 1.0, 40.0):
        found = audio.levelled(gain * spoken, -19.0)
        assert found.dtype == np.float32
        assert 10 * np.log10(np.mean(found[-16_000:].astype(float) ** 2)) == pytest.approx(-19, abs=0.01)
    assert not audio.levelled(np.zeros(16_000, np.float32), -19.0).any()
    assert len(audio.levelled(np.ones(5, np.float32), -19.0)) == 5


def test_silent_and_clipped_files_are_read_as_they_are(tmp_path):
    assert not audio.read(written(tmp_path / "a.wav", np.zeros(16_000))).any()
    clipped = audio.read(written(tmp_path / "b.wav", np.clip(sine(level=3.0), -1, 1)))
    assert audio.faults(clipped)[0].startswith("clipped")
