"""`manage.py restore`: put a backup in the place of the database and the files in use."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from cdp_site.embedded_postgres import DatabaseProblem
from cdp_site.operations.backup import postgres, restoring, shelf
from consent.erasure.ledger_file import LedgerDamagedError


class Command(BaseCommand):
    help = (
        "Restore a backup: checksums, every row of consent and audit verified, whoever was erased since erased again, "
        "all before anybody is served. Stop web, worker, keeper and cluster first. All or nothing."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("backup", help="its name (see `backup --list`) or its folder")
        parser.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *args: Any, backup: str, **options: Any) -> None:
        if not options["yes"]:
            self._ask(backup)
        try:
            done = restoring.restore(backup, say=self.stdout.write)
        except shelf.DamagedError as problem:
            raise CommandError(f"Refused: {problem}. Nothing was changed.") from problem
        except postgres.Busy as problem:
            raise CommandError(
                f"{problem.count} other connections use the database. Stop web, worker, keeper and cluster first."
            ) from problem
        except LedgerDamagedError as problem:
            raise CommandError(f"Refused: {problem}. Nobody can say who was erased. Nothing was changed.") from problem
        except (restoring.RestoreProblem, postgres.PostgresProblem, DatabaseProblem) as problem:
            raise CommandError(f"{problem} Nothing was changed.") from problem
        self.stdout.write(
            f"{done.rows:,} rows as they were backed up, {done.entries:,} consents and {done.sealed:,} sealed rows of"
            f" the audit among them. The ledger knows {done.erasures:,} erasures: {done.people:,} people of the backup"
            " were erased again."
        )
        if done.unfinished:
            self.stdout.write(
                self.style.WARNING(f"Of {done.unfinished:,} a store still holds something; the cluster tries again.")
            )
        self.stdout.write(self.style.SUCCESS("Restored. Everybody logs in again."))

    def _ask(self, backup: str) -> None:
        self.stdout.write("The database and the files in use are replaced by the backup; what came since is lost.")
        if input("Write the backup's name to go on: ").strip() != backup:
            raise CommandError("Nothing was changed.")
