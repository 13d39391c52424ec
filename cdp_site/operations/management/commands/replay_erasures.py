"""`manage.py replay_erasures`: after a restore by other means than `manage.py restore`."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from consent.erasure import ledger_file


class Command(BaseCommand):
    help = "Erase again whoever the erasure ledger says was erased and the database still has. Harmless when repeated."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            done = ledger_file.replay()
        except ledger_file.LedgerDamagedError as problem:
            raise CommandError(f"{problem}. Nothing was done.") from problem
        self.stdout.write(f"{done.entries:,} erasures in the ledger, {done.people:,} people erased again")
        if done.unfinished:
            raise CommandError(f"Of {done.unfinished:,} a store still holds something; the job cluster tries again.")
