"""`manage.py backup`: make a backup now, check one, or list them."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.template.defaultfilters import filesizeformat

from cdp_site.operations.backup import making, postgres, shelf

ACTOR = "system:command"


class Command(BaseCommand):
    help = "Back up database, files, erasure ledger and audit anchors: encrypted, with checksums, checked afterwards."

    def add_arguments(self, parser: CommandParser) -> None:
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--list", action="store_true", help="show the backups that there are")
        what.add_argument("--check", metavar="BACKUP", help="read every byte of this one (name or folder)")
        what.add_argument("--remove-old", action="store_true", help="remove those whose days are over (BACKUP_DAYS)")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["list"]:
            self._list()
        elif options["check"]:
            self._check(options["check"])
        elif options["remove_old"]:
            self.stdout.write(f"{shelf.remove_old()} removed")
        else:
            self._make()

    def _make(self) -> None:
        try:
            backup = making.make(by=ACTOR)
        except making.AlreadyRunning:
            raise CommandError("A backup is being made already.") from None
        except (OSError, postgres.PostgresProblem, shelf.DamagedError) as problem:
            raise CommandError(f"No backup was made: {problem}") from problem
        size = filesizeformat(backup.manifest.size if backup.manifest else 0)
        self.stdout.write(self.style.SUCCESS(f"{backup.path} ({size}): written and read again"))
        self.stdout.write(
            "The keys are not in it. Keep CDP_FILE_KEY, CDP_HASH_KEYS and SECRET_KEY (secrets.json in the data folder)"
            " in another place: without them no backup can be restored."
        )

    def _check(self, name: str) -> None:
        try:
            manifest = shelf.verify(shelf.find(name))
        except shelf.DamagedError as problem:
            raise CommandError(f"This backup cannot be used: {problem}.") from problem
        rows = sum(manifest.proofs.rows.values())
        self.stdout.write(self.style.SUCCESS(f"{manifest.name}: whole, {rows:,} rows, {manifest.files:,} files"))

    def _list(self) -> None:
        for backup in shelf.all_backups():
            size = filesizeformat(backup.manifest.size) if backup.manifest else "?"
            goes = f"until {backup.goes_at:%Y-%m-%d}" if backup.goes_at else ""
            self.stdout.write(f"{backup.name}  {backup.state}  {size}  {goes}")
