"""`manage.py trace_scan --subject FILE`: whether anything of a person is left; exit code 1 when it is."""

import json
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from consent.erasure import scanning


class Command(BaseCommand):
    help = "Look for values of a person in the database, its statistics and files, the data folder and logs."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--subject",
            required=True,
            metavar="FILE",
            help="one value a line, such as names and numbers; -: from stdin",
        )
        parser.add_argument("--log", action="append", type=Path, default=[], metavar="PATH", help="a file or folder")
        parser.add_argument(
            "--without-server-files",
            action="store_true",
            help="not the server's own files, which `rewrite_storage` mends",
        )
        parser.add_argument("--json", action="store_true", help="print the result as one line of JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            hits = scanning.scan(
                _values(options["subject"]),
                logs=options["log"],
                with_server_files=not options["without_server_files"],
            )
        except (OSError, ValueError) as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            told = [{"place": hit.place, "value": hit.value, "dress": hit.dress} for hit in hits]
            self.stdout.write(json.dumps({"ok": not hits, "hits": told}))
        else:
            for hit in hits:
                self.stdout.write(self.style.ERROR(str(hit)))
        if hits:
            raise CommandError(f"{len(hits)} traces were found.")
        if not options["json"]:
            self.stdout.write(self.style.SUCCESS("Nothing was found."))


def _values(file: str) -> list[str]:
    text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8-sig")
    return text.splitlines()
