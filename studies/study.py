"""What the studies beside this file share: train, infer and evaluate variants of a system, and tell of them."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from phonobench import bench, corpora, evaluate, results, store
from phonobench.cli.output import figure, interval, progress
from phonobench.store import provenance
from phonobench.systems import cards, recipe
from phonobench.types import Corpus

SHOWN = ("per_hq", "utterance_pearson", "phone_pearson", "utterance_auc", "phone_auc")


def options(text: str) -> argparse.ArgumentParser:
    """The options of every study."""
    parser = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("system", help="name of a system with pretrained weights")
    parser.add_argument("--corpus", help="folder or name, as for every verb")
    parser.add_argument("--limit", type=int, help="so many utterances of each split: a trial, not to be cited")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, help="in place of the recipe's")
    parser.add_argument("--resamples", type=int, default=1000)
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    parser.add_argument("--results", type=Path, default=Path("results"))
    return parser


def planned(name: str, epochs: int | None, **settings: Any) -> recipe.Recipe:
    """A preset with settings; `epochs` are those of a frozen encoder, all of the head alone."""
    course = {} if epochs is None else {"epochs": str(epochs), "head_only_epochs": str(epochs)}
    return recipe.with_settings(recipe.find(name), {**course, **{k: str(v) for k, v in settings.items()}})


class Study:
    """The runs of one study, apart from the others: under `runs/studies/NAME` and `results/studies/NAME`."""

    def __init__(self, name: str, given: argparse.Namespace) -> None:
        self.given, self.corpus = given, corpora.find(given.corpus)
        self.runs = given.runs / "studies" / name / given.system
        self.results = given.results / "studies" / name / given.system
        self.found: dict[str, Path] = {}

    def measure(
        self, label: str, system: str, plan: recipe.Recipe, members: Sequence[str] = (), shared_states=None
    ) -> Path:
        """Train, infer and evaluate one variant, or take what is there; the run's folder."""
        from phonobench.neural import inference
        from phonobench.neural.training import loop

        g = self.given
        with progress() as report:
            run_dir = loop.train(
                cards.find(system), plan, self.corpus, self.runs, seed=g.seed, limit=g.limit, members=members,
                shared_states=shared_states, report=report,
            )  # fmt: skip
            inference.infer(run_dir, self.corpus, bench.SPLITS, shared_states=shared_states, report=report)
            if not bench.is_evaluated(run_dir, self.corpus, self.results):
                evaluate.evaluate(run_dir, self.corpus, self.results, resamples=g.resamples, report=report)
        self.found[label] = run_dir
        values = self.metrics(label, "test")
        told = ", ".join(f"{name} {figure(name, values[name]['value'])}" for name in SHOWN)
        print(f"{label:28} {told}", flush=True)
        return run_dir

    def metrics(self, label: str, split: str) -> dict[str, dict[str, Any]]:
        """The figures of `SHOWN` of a variant, with their intervals."""
        run = self.found[label].name
        files = [results.path_of(self.results, run, split, task) for task in ("recognition", "scoring", "detection")]
        all_of = {name: value for file in files for name, value in results.read(file).metrics.items()}
        return {name: all_of[name].model_dump() for name in SHOWN}

    def best(self, name: str, labels: Sequence[str], high: bool) -> str:
        """The variant of the best figure on dev; the first among equals."""
        sign = -1 if high else 1
        return min(labels, key=lambda label: sign * self.metrics(label, "dev")[name]["value"])

    def gaps(self, pairs: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
        """Paired differences on test of pairs of variants, a - b, with Holm's correction over the pairs compared."""
        labels = list(dict.fromkeys(label for pair in pairs for label in pair))
        if len(labels) < 2:
            return []
        compared = evaluate.compare(
            [self.found[label] for label in labels], self.corpus, metrics=SHOWN, resamples=self.given.resamples
        )
        of = {self.found[label].name: label for label in labels}
        named = [{**gap, "a": of[gap["a"]], "b": of[gap["b"]]} for gap in compared.json()["gaps"]]
        turned = [one for gap in named for one in (gap, _turned(gap))]
        return [gap for gap in turned if (gap["a"], gap["b"]) in pairs]

    def write(self, title: str, question: str, facts: dict[str, Any], gaps: list[dict[str, Any]]) -> Path:
        """The study as JSON and as a Markdown page beside it."""
        variants = {
            label: {"run": run.name, "dev": self.metrics(label, "dev"), "test": self.metrics(label, "test")}
            for label, run in self.found.items()
        }
        made = {
            "study": title, "question": question, "system": self.given.system, "corpus": corpus_facts(self.corpus),
            "limit": self.given.limit, "epochs": self.given.epochs, "seed": self.given.seed,
            "versions": provenance.versions(), "revision": provenance.git_revision(), **facts,
            "variants": variants, "differences": gaps,
        }  # fmt: skip
        path = self.results / "study.json"
        store.write_json(path, made)
        store.write_bytes(path.with_suffix(".md"), _page(title, question, made).encode())
        print(f"\n{path}\n{path.with_suffix('.md')}")
        return path


def corpus_facts(corpus: Corpus) -> dict[str, Any]:
    return {"name": corpus.name, "fingerprint": corpus.fingerprint, "synthetic": corpus.synthetic}


def _turned(gap: dict[str, Any]) -> dict[str, Any]:
    """The same difference the other way round."""
    negative = {k: None if gap[k] is None else -gap[k] for k in ("difference", "low", "high")}
    ends = {"low": negative["high"], "high": negative["low"], "difference": negative["difference"]}
    swapped = {"a": gap["b"], "b": gap["a"], "value_a": gap["value_b"], "value_b": gap["value_a"]}
    return {**gap, **swapped, **ends}


def _page(title: str, question: str, made: dict[str, Any]) -> str:
    warning = ["A TRIAL ON A FEW UTTERANCES: not to be cited."] if made["limit"] else []
    if made["corpus"]["synthetic"]:
        warning.append("SYNTHETIC speech.")
    if made["epochs"]:
        warning.append(f"Trained for {made['epochs']} epochs in place of the recipe's.")
    head = [f"# {title}: {made['system']}", *warning, question]
    rows = [("variant", *SHOWN), ("---",) * (1 + len(SHOWN))]
    for label, variant in made["variants"].items():
        cells = [
            f"{figure(name, v['value'])} {interval(name, v['low'], v['high'])}" for name, v in variant["test"].items()
        ]
        rows.append((label, *cells))
    parts = [*head, "Test split, 95 % intervals over speakers.", grid(rows)]
    if made["differences"]:
        rows = [("a", "b", "figure", "a - b", "p after Holm"), ("---",) * 5]
        for gap in made["differences"]:
            name, p = gap["metric"], gap["p_holm"]
            told = f"{figure(name, gap['difference'])} {interval(name, gap['low'], gap['high'])}"
            rows.append((gap["a"], gap["b"], name, told, "-" if p is None else f"{p:.3f}"))
        parts += ["Paired differences on the same speakers:", grid(rows)]
    for name in ("layer_weights", "chosen_on_dev", "left_over"):
        if name in made:
            parts.append(f"{name.replace('_', ' ')}: {made[name]}")
    return "\n\n".join(parts) + "\n"


def grid(rows: Sequence[Sequence[str]]) -> str:
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


__all__ = ["SHOWN", "Study", "corpus_facts", "grid", "options", "planned"]
