"""How metrics are called and printed in every report: their headings, their order, their units."""

from __future__ import annotations

LABELS = {
    "per_hq": "PER (HQ) %",
    "per": "PER %",
    "per_ipa_char_hq": "PER (HQ), IPA characters %",
    "substitutions_hq": "substituted (HQ) %",
    "deletions_hq": "deleted (HQ) %",
    "insertions_hq": "inserted (HQ) %",
    "pfer_hq": "PFER (HQ) %",
    "utterance_pearson": "utterance Pearson",
    "utterance_spearman": "utterance Spearman",
    "word_pearson": "word Pearson",
    "phone_pearson": "phone Pearson",
    "phone_spearman": "phone Spearman",
    "utterance_auc": "utterance AUC",
    "utterance_f1": "utterance F1",
    "phone_auc": "phone AUC",
    "phone_ap": "phone AP",
    "phone_f1": "phone F1",
    "phone_mcc": "phone MCC",
}
"""Metrics that are shown, by task, and their headings."""

SCORER_LABELS = {
    "phone_model_pearson": "phone Pearson",
    "phone_model_mse": "phone MSE",
    "phone_model_auc": "phone AUC",
    "phone_model_f1": "phone F1",
    "phone_model_ece": "calibration error",
    "word_model_accuracy_pearson": "word accuracy",
    "word_model_stress_pearson": "word stress",
    "word_model_total_pearson": "word total",
    "utterance_model_accuracy_pearson": "sentence accuracy",
    "utterance_model_fluency_pearson": "fluency",
    "utterance_model_prosodic_pearson": "prosody",
    "utterance_model_total_pearson": "sentence total",
    "utterance_model_auc": "utterance AUC",
    "utterance_model_auc_swapped": "AUC true / swapped",
    "utterance_model_auc_silence": "AUC true / silence",
    "utterance_model_auc_noise": "AUC true / noise",
}
"""The same of trained scorers; where no statistic is named, it is Pearson's correlation."""

SCORER_BANDS = {
    "phone_model_pearson": "phone Pearson",
    "phone_model_auc": "phone AUC",
    "phone_model_bias": "phone accuracy estimated less human (0 to 2)",
    "utterance_model_total_pearson": "sentence total, Pearson",
    "utterance_model_total_bias": "sentence total estimated less human (0 to 10)",
    "utterance_model_total_coverage": "sentence totals within their 90 % interval",
}
"""What is told of scorers by age, gender and proficiency."""

SUMMARY = ("per_hq", "per_ipa_char_hq", "utterance_pearson", "phone_pearson", "utterance_auc", "phone_auc")
MAIN = ("per_hq", "utterance_pearson", "phone_pearson", "utterance_auc", "phone_auc")
"""The summary without what is there for comparison with the source experiments alone."""
BY_TASK = {
    "Recognition": ("per_hq", "per", "substitutions_hq", "deletions_hq", "insertions_hq", "pfer_hq"),
    "Scoring": ("utterance_pearson", "utterance_spearman", "word_pearson", "phone_pearson", "phone_spearman"),
    "Detection": ("utterance_auc", "utterance_f1", "phone_auc", "phone_ap", "phone_f1", "phone_mcc"),
}
PERCENT = tuple(name for name, label in LABELS.items() if label.endswith("%"))
BROKEN_DOWN = ("per", "utterance_pearson", "phone_pearson", "phone_auc")


def number(value: float, name: str) -> str:
    """A metric's value as people read it: rates in per cent, log-probabilities with two decimals, others with three."""
    if name in PERCENT:
        return f"{100 * value:.2f}"
    return f"{value:.2f}" if name.startswith(("phone_score", "phone_fall")) else f"{value:.3f}"
