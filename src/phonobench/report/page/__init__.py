"""The report: one HTML page that holds its figures, its script and the sound of the cases it shows."""

from phonobench.report.page.build import AUDIO_BYTES, Page, build, render

__all__ = ["AUDIO_BYTES", "Page", "build", "render"]
