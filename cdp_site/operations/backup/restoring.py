"""Restores a backup beside the database in use, and lets it take that one's place only when it is right.

Before anybody is served: checksums, every table's rows, the consents and the audit to the last row as they were backed
up, migrations up to today's release, and everybody who was erased since is erased again from the ledger.
"""

from collections.abc import Callable
from dataclasses import dataclass

from django.core.management import call_command
from django.db import connection, transaction
from django.db.migrations.loader import MigrationLoader

from cdp_site.core import anchors, audit
from cdp_site.operations.backup import files, postgres, proofs, sealing, shelf
from cdp_site.operations.backup.shelf import DATABASE, FILES, Manifest
from cdp_site.operations.database_fitness import ensure_thai_trigrams
from consent.erasure import ledger_file

ACTOR = "system:restore"
Say = Callable[[str], None]


class RestoreProblem(Exception):
    """The backup is not restored, and everything is as it was; with the reason."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What was checked and done: `rows` in all tables, `entries` of consent, `sealed` rows of the audit, `erasures`
    that the ledger knows and `people` of them who were in the backup and are gone again."""

    name: str
    rows: int
    entries: int
    sealed: int
    erasures: int
    people: int
    unfinished: int


def restore(name_or_path: str, *, say: Say) -> Restored:
    """Everything or nothing. Nobody else may be connected to the database meanwhile.

    Raises:
        RestoreProblem: the backup cannot be used, with the reason.
        shelf.DamagedError: a part was changed.
        postgres.Busy, postgres.PostgresProblem, LedgerDamagedError.
    """
    path = shelf.find(name_or_path)
    say("Checking the checksums")
    manifest = shelf.verify(path)
    _refuse_newer(manifest)
    postgres.ensure_nobody_is_connected()
    # The databases change places first: until they have, the files can go back.
    with files.put_back(sealing.Opened(path / FILES)) as stage, postgres.beside() as database:
        say("Loading the database beside the one in use")
        postgres.load(sealing.pieces(path / DATABASE), database)
        ensure_thai_trigrams(connection)
        say("Comparing every table with what was backed up")
        _compare(manifest)
        call_command("migrate", interactive=False, verbosity=0)
        _forget_who_was_logged_in()
        _analyse()  # a database that was just filled knows nothing of itself, and would search slowly
        say("Erasing again whoever was erased since")
        files.adopt_outside(stage)
        replayed = ledger_file.replay()
        if replayed.people:
            _analyse()  # what the first one noted of them goes
        sealed = _close_the_audit(manifest)
        say("Taking the place of the database in use")
    return Restored(
        name=manifest.name,
        rows=sum(manifest.proofs.rows.values()),
        entries=manifest.proofs.rows.get("consent_consententry", 0),
        sealed=sealed,
        erasures=replayed.entries,
        people=replayed.people,
        unfinished=replayed.unfinished,
    )


def _refuse_newer(manifest: Manifest) -> None:
    """A backup of a later release has tables that this one does not know."""
    known = set(MigrationLoader(None).disk_migrations)
    stated = {(app, name) for app, names in manifest.proofs.migrations.items() for name in names}
    replaced = {key for migration in MigrationLoader(None).disk_migrations.values() for key in migration.replaces}
    if unknown := sorted(stated - known - replaced):
        app, name = unknown[0]
        raise RestoreProblem(f"The backup was made by a later release ({app} {name}). Check that release out first.")


def _compare(manifest: Manifest) -> None:
    with transaction.atomic():
        wrong = proofs.differences(manifest.proofs, proofs.take())
    if wrong:
        raise RestoreProblem(f"These tables are not as they were backed up: {', '.join(wrong)}.")
    verdict = audit.verify(written_down=anchors.parse(b""))
    if not verdict.ok:
        raise RestoreProblem(f"The audit's chain is broken in the backup: {verdict.faults[0]}.")


def _forget_who_was_logged_in() -> None:
    """Sessions are in no backup; what a running cluster and its clock had noted is of another day."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_session")
        cursor.execute("DELETE FROM core_heartbeat WHERE name LIKE 'job:%'")


def _analyse() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _close_the_audit(manifest: Manifest) -> int:
    """Note the restore in the audit and beside it, and verify both together; returns how many rows are sealed."""
    anchors.note_restore()
    with transaction.atomic():
        audit.record(action="backup.restore", target=("operations.Backup", manifest.name), by=ACTOR)
    audit.seal_pending()
    verdict = audit.verify()
    if not verdict.ok:
        raise RestoreProblem(f"The audit does not agree with its anchors: {verdict.faults[0]}.")
    return verdict.sealed
