"""A call in a process of its own, with its time and its greatest memory.

python -m cdp_site.operations.bench.child FUNCTION [ARGUMENT …]
"""

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import django
from django.utils.module_loading import import_string


@dataclass(frozen=True)
class Measured:
    """`seconds` without the start of Python; `memory` is the greatest of the process and of its own children, in
    bytes."""

    value: Any
    seconds: float
    memory: int


def measured(function: str, *arguments: str, environment: Mapping[str, str]) -> Measured:
    """Call `function` (dotted path) with texts; its answer is JSON. Raises CalledProcessError."""
    done = subprocess.run(
        command(function, *arguments), env=os.environ | environment, stdout=subprocess.PIPE, check=True
    )
    return Measured(**json.loads(done.stdout.splitlines()[-1]))


def command(function: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", __name__, function, *arguments]


def main() -> None:
    django.setup()
    function = import_string(sys.argv[1])
    started = time.perf_counter()
    value = function(*sys.argv[2:])
    seconds = time.perf_counter() - started
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    sys.stdout.write(json.dumps({"value": value, "seconds": seconds, "memory": _peak() + children}) + "\n")


def _peak() -> int:
    """Of this program: `ru_maxrss` would begin with what the process had been that started it."""
    with open("/proc/self/status", encoding="ascii") as status:
        line = next(line for line in status if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


if __name__ == "__main__":
    main()
