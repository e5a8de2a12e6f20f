"""What is measured: recognition, scoring, detection, and the negative controls. A task is one file.

A task is a value (`Task`): a blind `predict(evidence, prompt)`, `rows` that lay a prediction beside the human
judgement, and metrics that are functions of rows and speaker weights.
"""

from phonobench.tasks import assessment, controls, detection, recognition, scoring
from phonobench.tasks.prediction import FLOOR, Prediction, predict
from phonobench.tasks.task import Metric, Task, Threshold, collect

TASKS: dict[str, Task] = {task.name: task for task in (recognition.TASK, scoring.TASK, detection.TASK)}
"""The tasks of the protocol, by name. The controls compare several kinds of evidence and stand apart."""

METRICS: dict[str, Metric] = {
    metric.name: metric
    for group in (*(task.metrics for task in TASKS.values()), controls.METRICS, assessment.METRICS)
    for metric in group
}
"""Every metric by name; no two tasks share a name."""

__all__ = [
    "FLOOR",
    "METRICS",
    "TASKS",
    "Metric",
    "Prediction",
    "Task",
    "Threshold",
    "assessed",
    "collect",
    "controls",
    "detection",
    "predict",
    "recognition",
    "scoring",
]
