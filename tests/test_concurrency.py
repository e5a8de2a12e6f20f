"""Scores are the same from threads and from spawned processes as one after the other."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any

import pytest
from fake_package import FakePackage, speech

import phonobench
from phonobench.assessment import scoring
from phonobench.corpora import synthetic

BEAR = "W IY K AO L IH T B EH R"


def total(path: str, text: str) -> float:
    return phonobench.score(path, text).sentence.total.value


@pytest.fixture(scope="module")
def recordings() -> list[tuple[str, str]]:
    return [(str(one.audio), one.prompt.text) for one in synthetic.read(limit=2).utterances[:3]]


def test_threads_share_a_package_and_mix_nothing_up() -> None:
    waves = [speech(2.0, seed) for seed in range(12)]

    def scored(wave: Any) -> str:
        return phonobench.score(
            wave, "We call it bear", rate=16_000, package=FakePackage(BEAR.split())
        ).model_dump_json()

    alone = [scored(wave) for wave in waves]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(scored, waves)) == alone


@pytest.mark.slow
def test_threads_score_as_one_does(recordings: list[tuple[str, str]]) -> None:
    package = scoring.load(None)

    def scored(one: tuple[str, str]) -> float:
        return phonobench.score(*one, package=package).sentence.total.value

    alone = [scored(one) for one in recordings]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(scored, recordings * 2)) == alone * 2


@pytest.mark.slow
def test_spawned_processes_score_as_one_does_while_threads_are_at_work(recordings: list[tuple[str, str]]) -> None:
    alone = [total(*one) for one in recordings]
    spawn = multiprocessing.get_context("spawn")
    with ThreadPoolExecutor(1) as threads, ProcessPoolExecutor(2, mp_context=spawn) as pool:
        meanwhile = threads.submit(total, *recordings[0])
        files, texts = zip(*recordings, strict=True)
        assert list(pool.map(total, files, texts, timeout=300)) == alone
        assert meanwhile.result() == alone[0]
