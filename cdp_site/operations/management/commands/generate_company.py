"""`manage.py generate_company`: the sample company as files (`--out DIR`) or in the database (`--load`)."""

from argparse import ArgumentTypeError
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from cdp_site.operations.company import files, loading
from cdp_site.operations.company.generation import Company
from cdp_site.operations.company.year import BANGKOK, end_of
from cdp_site.operations.progress import Progress


class Command(BaseCommand):
    help = (
        "Invent a company of N people with a year of touchpoints in five systems, as the files that those systems "
        "would send (with mappings to import them) and the truth about who is who. The same people, seed, touchpoints "
        "and until give the same bytes."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--people", type=int, default=5_000, metavar="N")
        parser.add_argument("--seed", type=int, default=1, metavar="S")
        parser.add_argument(
            "--touchpoints", type=int, metavar="M", help="about how many in all; 20 a person by default"
        )
        parser.add_argument("--out", type=Path, metavar="DIR", help="folder to write the files to")
        parser.add_argument("--load", action="store_true", help="put the company into the database")
        parser.add_argument(
            "--until",
            type=_day,
            metavar="YYYY-MM-DD",
            help="the year ends when this day begins in Bangkok; by default today, with --load alone the moment of the "
            "first load, so that the last days are recent",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not (options["out"] or options["load"]):
            raise CommandError("Say where to: --out DIR, or --load, or both.")
        if options["people"] < 1:
            raise CommandError("--people must be at least 1.")
        today = timezone.now().astimezone(BANGKOK).date()
        until = options["until"] or (today if options["out"] else None)  # loading knows a moment of its own
        if until and until > today:
            raise CommandError("--until lies in the future: nothing could have happened by then.")
        wanted = {key: options[key] for key in ("people", "seed", "touchpoints")}
        try:
            company = Company(**wanted, end=end_of(until or today))
        except ValueError as problem:
            raise CommandError(str(problem)) from problem
        progress = Progress()
        if options["out"]:
            with progress.step("Inventing the company", total=company.people) as advance:
                manifest = files.write(company, options["out"], advance)
            self.stdout.write(
                f"{options['out']}: {manifest['people']:,} people, {manifest['source_records']:,} source records, "
                f"{manifest['touchpoints']:,} touchpoints until {until}; see {files.MANIFEST}"
            )
        if options["load"]:
            loading.load(**wanted, end=end_of(until) if until else None, progress=progress)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as problem:
        raise ArgumentTypeError(f"{text!r} is no date; write it like 2026-11-22") from problem
