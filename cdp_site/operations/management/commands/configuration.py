"""`manage.py configuration export|import|diff`: what the company has set up, as a file without secrets."""

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from cdp_site.operations.configuration import document

ACTOR = "system:configuration"


class Command(BaseCommand):
    help = (
        "Sources, mappings, plan, traits, purposes, notices, retention, departments and what they see, as JSON. Import "
        "creates and changes, all or nothing, and removes nothing; diff ends with 1 where there is a difference."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        for name, what in (("export", "write it"), ("import", "take it over"), ("diff", "compare it")):
            action = actions.add_parser(name, help=what)
            action.add_argument("file", type=Path, nargs="?" if name == "export" else None)

    def handle(self, *args: Any, action: str, file: Path | None, **options: Any) -> None:
        if action == "export":
            self._export(file)
            return
        try:
            text = file.read_text(encoding="utf-8") if file else ""
            if action == "diff":
                self._compare(text)
            else:
                created, changed = document.take_over(text, by=ACTOR)
                self.stdout.write(self.style.SUCCESS(f"{created} created, {changed} changed"))
        except (OSError, UnicodeDecodeError) as problem:
            raise CommandError(f"{file} cannot be read: {problem}") from problem
        except document.ConfigurationProblem as problem:
            raise CommandError(str(problem)) from problem

    def _export(self, file: Path | None) -> None:
        text = document.export()
        if file is None:
            self.stdout.write(text, ending="")
        else:
            file.write_text(text, encoding="utf-8")

    def _compare(self, text: str) -> None:
        lines = [line for difference in document.compare(text) for line in difference.lines()]
        for line in lines:
            self.stdout.write(line)
        if lines:
            sys.exit(1)
