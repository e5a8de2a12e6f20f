"""What is measured: recognition, scoring, detection, the negative controls, and trained scorers. A task is one file.

A task is a value (`Task`): a blind `predict(evidence, prompt)`, `rows` that lay a prediction beside the human
judgement, and metrics that are functions of rows and speaker weights.
"""

from phonobench.tasks import assessment, controls, detection, recognition, scoring
from phonobench.tasks.prediction import FLOOR, Prediction, predict
from phonobench.tasks.task import NATS, PERCENT, PLAIN, Display, Metric, Task, Threshold, collect

TASKS: dict[str, Task] = {task.name: task for task in (recognition.TASK, scoring.TASK, detection.TASK)}
"""The tasks of the protocol, by name; what is added here is evaluated, compared and shown like these.

The controls compare several kinds of evidence and trained scorers have no evidence: both stand apart.
"""


def groups() -> dict[str, tuple[Metric, ...]]:
    """The metrics by the task of their result file, with `controls` and `assessment`.

    Example:
        >>> list(groups())
        ['recognition', 'scoring', 'detection', 'controls', 'assessment']
    """
    own = {name: task.metrics for name, task in TASKS.items()}
    return {**own, controls.NAME: controls.METRICS, assessment.NAME: assessment.METRICS}


def metrics() -> dict[str, Metric]:
    """Every metric by name.

    Raises:
        ValueError: where two metrics share a name.

    Example:
        >>> metrics()["per_hq"].heading
        'PER (HQ) %'
    """
    found: dict[str, Metric] = {}
    for task, group in groups().items():
        for metric in group:
            if metric.name in found:
                raise ValueError(f"task {task} has a metric {metric.name!r}, which is in another place too")
            found[metric.name] = metric
    return found


__all__ = [
    "FLOOR",
    "NATS",
    "PERCENT",
    "PLAIN",
    "TASKS",
    "Display",
    "Metric",
    "Prediction",
    "Task",
    "Threshold",
    "assessment",
    "collect",
    "controls",
    "detection",
    "groups",
    "metrics",
    "predict",
    "recognition",
    "scoring",
]
