"""`manage.py rebuild_profiles [--check]`: derived state from records and decisions, or what differs from it."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from profiles import rebuild

BY = "system:rebuild"


class Command(BaseCommand):
    help = "Recompute who is who, golden records and everything else that follows from records and decisions."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--check", action="store_true", help="only compare; exits 1 and names the rows when something differs"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        differences = rebuild.check() if options["check"] else rebuild.rebuild(by=BY)
        for difference in differences:
            more = ", …" if difference.rows > len(difference.examples) else ""
            self.stdout.write(f"{difference.what}: {difference.rows} ({', '.join(difference.examples)}{more})")
        if not differences:
            self.stdout.write("Everything is as it follows from records and decisions.")
        elif options["check"]:
            raise CommandError("Stored state differs; `manage.py rebuild_profiles` mends it.")
        else:
            self.stdout.write("Mended.")
