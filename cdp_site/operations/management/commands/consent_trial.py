"""`manage.py consent_trial`: merges, unmerges and re-imports at random, and what became of consents."""

import json
from typing import Any, Final

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from cdp_site.operations.bench import consent_trial, database

_NAME: Final = "cdp_consent_trial"


class Command(BaseCommand):
    help = (
        "Merge, unmerge and import at random, in a database of its own that is dropped in the end; prints JSON, "
        "exits 1 on a fault."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--rounds", type=int, default=1000)
        parser.add_argument("--seed", type=int, default=1)

    def handle(self, *args: Any, rounds: int, seed: int, **options: Any) -> None:
        name = f"{_NAME}_{seed}"
        database.begin(name)
        try:
            call_command("migrate", verbosity=0)
            report = consent_trial.run(rounds, seed=seed)
        finally:
            database.drop(name)
        self.stdout.write(json.dumps(report.as_dict(), indent=2, ensure_ascii=False))
        if not report.is_clean:
            raise CommandError("Consents were widened, lost or made up.")
