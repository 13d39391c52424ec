"""`manage.py consent_trial`: merges, unmerges and re-imports at random, and what became of consents."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from cdp_site.operations.bench import consent_trial


class Command(BaseCommand):
    help = "Merge, unmerge and import at random in a transaction that is rolled back; prints JSON, exits 1 on a fault."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--rounds", type=int, default=1000)
        parser.add_argument("--seed", type=int, default=1)

    def handle(self, *args: Any, rounds: int, seed: int, **options: Any) -> None:
        with transaction.atomic():
            report = consent_trial.run(rounds, seed=seed)
            transaction.set_rollback(True)
        self.stdout.write(json.dumps(report.as_dict(), indent=2, ensure_ascii=False))
        if not report.is_clean:
            raise CommandError("Consents were widened, lost or made up.")
