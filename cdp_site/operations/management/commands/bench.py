"""`manage.py bench NAME`: figures as ratios, each against its own limit measured in the same run."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from rich.console import Console
from rich.table import Table

from cdp_site.operations.bench import database, hostile, imports, ingest, segment
from cdp_site.operations.bench.measure import Result

BENCHES = {"ingest": ingest.run, "import": imports.run, "hostile": hostile.run, "segment": segment.run}


class Command(BaseCommand):
    help = "Measure the platform against the limits of this machine. One JSON line a result, and a table."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", choices=sorted(BENCHES))
        parser.add_argument("--people", type=int, default=100_000)
        parser.add_argument("--events", type=int, default=1_000_000, help="touchpoints in the database")

    def handle(self, *args: Any, **options: Any) -> None:
        url = database.use(people=options["people"], touchpoints=options["events"])
        results = BENCHES[options["name"]](url)
        for result in results:
            self.stdout.write(result.as_json())
        Console(stderr=True).print(_table(results, options["people"], options["events"]))


def _table(results: list[Result], people: int, events: int) -> Table:
    table = Table(title=f"{people:,} people, {events:,} touchpoints, medians of {results[0].rounds} rounds")
    for heading in ("figure", "value", "limit", "ratio", "goal", ""):
        table.add_column(heading, justify="left" if heading == "figure" else "right")
    for result in results:
        goal = "reported" if result.goal is None else f"{'≤' if result.lower_is_better else '≥'} {result.goal}"
        verdict = {True: "ok", False: "falls short", None: ""}[result.ok]
        table.add_row(
            f"{result.name}\n[dim]{result.note}; limit: {result.limit_name}[/dim]",
            f"{result.value:,} {result.unit}",
            f"{result.limit:,}",
            f"{result.ratio}",
            goal,
            verdict,
        )
    return table
