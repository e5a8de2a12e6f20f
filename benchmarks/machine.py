"""What a benchmark ran on, in one line of JSON: without it a figure of speed means nothing."""

from __future__ import annotations

import json
import os
import platform
from pathlib import Path


def line() -> str:
    """Processor, how many of it this process may use, Python, threads asked for, and how busy the machine is."""
    listed = Path("/proc/cpuinfo")
    lines = listed.read_text(encoding="utf-8", errors="replace").splitlines() if listed.exists() else []
    name = next((one.partition(":")[2].strip() for one in lines if one.startswith("model name")), platform.machine())
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    load = [round(one, 2) for one in os.getloadavg()] if hasattr(os, "getloadavg") else None
    return json.dumps({
        "processor": name, "usable": usable, "python": platform.python_version(),
        "omp_num_threads": os.environ.get("OMP_NUM_THREADS"), "load_1_5_15_min": load,
        "busy": load is not None and usable is not None and load[0] > 0.5 * usable,
    })  # fmt: skip
