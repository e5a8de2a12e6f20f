"""Finished trainings for those who look at them in TensorBoard or MLflow: the history and test figures of each run.

Both are extras and read what lies in the manifests; the training loop does not depend on them.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from phonobench.report import runs
from phonobench.report.log import Run
from phonobench.types import PhonobenchError


def tensorboard(found: Sequence[Run], folder: Path) -> list[str]:
    """Writes an event file for each run; a run that has one is left alone.

    Scalars: `loss` and `dev_per_hq` by epoch, `test/<metric>` with `_low` and `_high` at the chosen epoch.

    Args:
        found: The runs (`log.read`).
        folder: Where to; each run has a folder in it.

    Returns:
        The ids that were written.
    """
    _require("tensorboard", "tensorboard")
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    written = []
    for run in found:
        target = folder / run.run_id
        if any(target.glob("events.out.tfevents.*")):
            continue
        writer = EventFileWriter(str(target))
        for name, value, step, seconds in scalars(run):
            summary = Summary(value=[Summary.Value(tag=name, simple_value=value)])
            writer.add_event(Event(wall_time=seconds, step=step, summary=summary))
        writer.close()
        written.append(run.run_id)
    return written


def mlflow(found: Sequence[Run], uri: str, experiment: str = "phonobench") -> list[str]:
    """Logs each run with its recipe, history and test figures to a tracking server; one that is there is left alone.

    Args:
        found: The runs (`log.read`).
        uri: The server, or a folder.
        experiment: The experiment that they are logged under.

    Returns:
        The ids that were logged.
    """
    _require("mlflow", "mlflow")
    from mlflow.tracking import MlflowClient

    client = MlflowClient(tracking_uri=uri)
    known = client.get_experiment_by_name(experiment)
    place = client.create_experiment(experiment) if known is None else known.experiment_id
    there = {one.data.tags.get("run_id") for one in client.search_runs([place], max_results=50_000)}
    written = []
    for run in found:
        if run.run_id in there:
            continue
        made = client.create_run(place, tags={"run_id": run.run_id, "system": run.card}, run_name=run.run_id)
        for name, setting in {**run.recipe, "seed": run.seed}.items():
            client.log_param(made.info.run_id, name, setting)
        for name, value, step, seconds in scalars(run):
            client.log_metric(made.info.run_id, name.replace("/", "."), value, round(1000 * seconds), step)
        client.set_terminated(made.info.run_id)
        written.append(run.run_id)
    return written


def scalars(run: Run) -> Iterator[tuple[str, float, int, float]]:
    """Name, value, epoch and seconds since the training began, of its history and of the test figures."""
    epochs = runs.history(run.manifest or {})
    for epoch in epochs:
        for name, value in (("loss", epoch.loss), ("dev_per_hq", epoch.dev_per)):
            if value is not None:
                yield name, value, epoch.epoch, epoch.seconds or 0.0
    last = epochs[-1].seconds or 0.0 if epochs else 0.0
    step = int((run.manifest or {}).get("best_epoch") or 0)
    for name, figure in run.metrics.items():
        numbers: dict[str, Any] = {"": figure.value, "_low": figure.low, "_high": figure.high}
        for end, value in numbers.items():
            if value is not None:
                yield f"test/{name}{end}", value, step, last


def _require(module: str, extra: str) -> None:
    if importlib.util.find_spec(module) is None:
        raise PhonobenchError(f"{module} is not installed: pip install 'phonobench[{extra}]'")
