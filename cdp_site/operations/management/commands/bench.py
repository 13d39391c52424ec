"""`manage.py bench NAME`: figures as ratios, each against its own limit measured in the same run."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.table import Table

from cdp_site.operations.bench import (
    company,
    database,
    fairness,
    faults,
    hostile,
    imports,
    ingest,
    lookup,
    matching,
    membership,
    pages,
    profile_api,
    segment,
    timelines,
    webhooks,
)
from cdp_site.operations.bench.measure import Failed, Result

BENCHES: dict[str, Callable[[str], Iterable[Result | Failed]]] = {
    "fairness": fairness.run,
    "ingest": ingest.run,
    "import": imports.run,
    "hostile": hostile.run,
    "lookup": lookup.run,
    "membership": membership.run,
    "page": pages.run,
    "profile-api": profile_api.run,
    "segment": segment.run,
    "timeline": timelines.run,
    "webhooks": webhooks.run,
}
MATCH = "match"  # in parts, some of which need no database
COMPANY = "company"  # loads and matches a company in three sizes
FAULTS = "faults"  # no figures: it kills processes and fills a disk, on an installation of its own


class Command(BaseCommand):
    help = (
        "Measure the platform against the limits of this machine. One JSON line a result, and a table. `faults` tries "
        "out what kills it instead; the exit code is 0 when nothing acknowledged was lost and nothing stored twice."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", choices=sorted([*BENCHES, MATCH, COMPANY, FAULTS]))
        parser.add_argument("--people", type=int, help="in the database (100,000; of `match --part next`, 20,000)")
        parser.add_argument(
            "--events", type=int, help="touchpoints in the database (1,000,000); of `faults`, events sent (100,000)"
        )
        parser.add_argument(
            "--part", action="append", choices=sorted(matching.PARTS), help="of `match`: only this one; may be repeated"
        )
        parser.add_argument("--data", type=Path, help="of `match`: folder of public sets of people, senzing/ and thai/")
        parser.add_argument("--seeds", type=int, default=5, help="of `match`: runs of what depends on labels (5)")

        parser.add_argument("--records", type=int, default=500_000, help="of `company`: source records (500,000)")
        parser.add_argument(
            "--touchpoints", type=int, default=10_000_000, help="of `company`: touchpoints (10,000,000)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["name"] == COMPANY:
            self._company(options)
            return
        if options["name"] == MATCH:
            self._match(options)
            return
        if options["name"] == FAULTS:
            self._try_faults(options["events"] or 100_000)
            return
        people, events = options["people"] or matching.PEOPLE, options["events"] or 1_000_000
        url = database.use(people=people, touchpoints=events)
        results: list[Result] = []
        failed: list[Failed] = []
        for result in BENCHES[options["name"]](url):
            self.stdout.write(result.as_json())
            self.stdout.flush()  # who breaks a long run off keeps what is measured
            if isinstance(result, Failed):
                failed.append(result)
            else:
                results.append(result)
        rounds = max((result.rounds for result in results), default=0)
        title = f"{people:,} people, {events:,} touchpoints, medians of {rounds} rounds"
        Console(stderr=True).print(_table(results, title))
        if failed:
            names = "; ".join(f"{one.name} ({one.problem})" for one in failed)
            raise CommandError(f"Not measured: {names}")

    def _company(self, options: dict[str, Any]) -> None:
        results = company.run(records_wanted=options["records"], touchpoints=options["touchpoints"])
        for result in results:
            self.stdout.write(result.as_json())
        title = (
            f"{options['records']:,} records, {options['touchpoints']:,} touchpoints, and a half and a quarter of it"
        )
        Console(stderr=True).print(_table(results, title))

    def _match(self, options: dict[str, Any]) -> None:
        asked = matching.Asked(
            data=options["data"],
            seeds=options["seeds"],
            people=options["people"],
            touchpoints=options["events"] or 1_000_000,
        )
        for part in options["part"] or matching.PARTS:
            lines, table = matching.PARTS[part](asked)
            for line in lines:
                self.stdout.write(line.as_json())
            Console(stderr=True).print(table)

    def _try_faults(self, events: int) -> None:
        outcomes = [faults.kills(events=events, rows=events // 5)]
        try:
            outcomes.append(faults.full_disk())
        except faults.MountingForbidden as hint:
            self.stderr.write(str(hint))
        for outcome in outcomes:
            self.stdout.write(json.dumps(outcome.as_dict()))
        if bad := [outcome.name for outcome in outcomes if not outcome.is_good]:
            raise CommandError(f"Something was lost, doubled or out of balance: {', '.join(bad)}.")


def _table(results: list[Result], title: str) -> Table:
    table = Table(title=title)
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
