"""Pulls: a table or query of a company's own database, asked on a schedule for the rows that are new.

What comes is a file of JSON lines on its way through the same import as an uploaded one: its equation, its report and
its revert come with it. Rows at the cursor's last value are asked for again, since others may have joined them; those
that were fetched are known by their hashes and left out.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec
import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from cdp_site.core import audit, hashing, jobs
from cdp_site.core.errors import MendableError
from cdp_site.core.models import User
from ingestion import imports, mappings
from ingestion.connections import databases
from ingestion.connections.databases import Asked, PullProblem
from ingestion.connections.wording_pulls import PullCode
from ingestion.files import mapping, store
from ingestion.files.intake import Receiver
from ingestion.models import Pull, Source

log = structlog.get_logger("pull")

JOB: Final = "ingestion.connections.pulls.run"
BY: Final = "system:pull"
MOST_ROWS: Final = 1_000_000  # of one run; the next one goes on at once
MOST_TIES: Final = 10_000
LEASE: Final = timedelta(minutes=15)
RENEWED_EVERY: Final = 20_000  # rows
HASH_BYTES: Final = 16


@transaction.atomic
def save(
    *,
    pull: Pull | None,
    source: Source,
    name: str,
    address: str,
    relation: str,
    cursor_column: str,
    mapping_name: str,
    every_minutes: int,
    is_active: bool,
    by: User | str,
) -> Pull:
    """A new pull, or a changed one: an empty `address` leaves it as it is, another place to read from begins anew.

    Raises PullProblem, MendableError for a mapping that does not exist.
    """
    databases.check_relation(relation)
    if mappings.find(mapping_name) is None:
        raise PullProblem(PullCode.MAPPING, field="mapping_name")
    held = Pull(next_at=timezone.now()) if pull is None else Pull.objects.select_for_update().get(pk=pull.pk)
    wanted: dict[str, Any] = {
        "source": source, "name": name, "relation": relation.strip(), "cursor_column": cursor_column,
        "mapping_name": mapping_name, "every_minutes": every_minutes, "is_active": is_active,
    }  # fmt: skip
    if address.strip() or pull is None:
        shown = databases.shown(address)
        wanted |= {"address": hashing.seal(address.strip().encode()), "shown_address": shown}
    changed = [one for one, value in wanted.items() if pull is None or getattr(held, one) != value]
    for one in changed:
        setattr(held, one, wanted[one])
    if {"shown_address", "relation", "cursor_column"} & set(changed):
        held.cursor, held.last_rows = "", b""
    if changed and pull is not None:
        held.next_at, held.problem = timezone.now(), ""
    if pull is None:
        held.created_by = by if isinstance(by, User) else None
    held.save()
    if changed:
        audit.record(action="pull.create" if pull is None else "pull.change", target=held, by=by, fields=changed)
    return held


def test(*, pull: Pull | None, address: str, relation: str, cursor_column: str, by: User | str) -> list[str]:
    """Ask for one row and return the names of its columns; none when there is no row. Raises PullProblem."""
    if not address.strip() and pull is not None:
        address = _address(pull)
    with transaction.atomic():
        audit.record(action="pull.test", target=pull or ("ingestion.Pull", "new"), by=by)
    row = databases.first_row(Asked(address, relation, cursor_column))
    if row is None:
        return []
    databases.kept(row[_key_of(cursor_column, row)])
    return list(row)


def run_now(*, pull: Pull, by: User | str) -> None:
    """Ask at once, whatever the schedule says."""
    with transaction.atomic():
        Pull.objects.filter(pk=pull.pk).update(next_at=timezone.now())
        audit.record(action="pull.run", target=pull, by=by)
        jobs.enqueue(JOB, pull.pk)


def run_due() -> int:
    """Chore: enqueue what is due; returns how many. `run` takes each only once."""
    due = list(Pull.objects.due().values_list("pk", flat=True)[:100])
    for pull_id in due:
        jobs.enqueue(JOB, pull_id)
    return len(due)


def run(pull_id: int) -> None:
    """Fetch what is new and begin to import it. Idempotent: the cursor moves in the transaction that begins the
    import."""
    pull = _take(pull_id)
    if pull is None:
        return
    problem = ""
    has_more = False
    try:
        has_more = _fetch(pull)
    except PullProblem as error:
        problem = error.code
        log.info("pull.failed", pull=pull.pk, problem=problem)
    pause = timedelta(0) if has_more else timedelta(minutes=pull.every_minutes)
    now = timezone.now()
    Pull.objects.filter(pk=pull.pk).update(problem=problem, last_run_at=now, next_at=now + pause, lease_until=None)


def _take(pull_id: int) -> Pull | None:
    with transaction.atomic(durable=True):
        pull: Pull | None = (
            Pull.objects.due().select_for_update(skip_locked=True, of=("self",)).filter(pk=pull_id).first()
        )
        if pull is not None:
            pull.lease_until = timezone.now() + LEASE
            pull.save(update_fields=["lease_until"])
    return pull


@dataclass
class _Reading:
    """Rows as JSON lines, without those that were fetched before; remembers how far it got."""

    pull: Pull
    since: Any
    known: frozenset[bytes]
    greatest: Any = None
    ties: list[bytes] = field(default_factory=list)
    number: int = 0

    def lines(self, rows: Iterator[Mapping[str, Any]]) -> Iterator[bytes]:
        encode = msgspec.json.Encoder(enc_hook=str).encode
        column = ""
        for row in rows:
            column = column or _key_of(self.pull.cursor_column, row)
            line = encode({name: _plain(value) for name, value in row.items()})
            if row[column] != self.greatest:
                self.greatest, self.ties = row[column], []
            if len(self.ties) < MOST_TIES:
                self.ties.append(line)
            if self.known and row[column] == self.since and _hash(line) in self.known:
                continue
            self.number += 1
            if self.number % RENEWED_EVERY == 0:
                Pull.objects.filter(pk=self.pull.pk).update(lease_until=timezone.now() + LEASE)
            yield line + b"\n"


def _fetch(pull: Pull) -> bool:
    """True when there is more to fetch at once. Raises PullProblem."""
    hashes = bytes(pull.last_rows)
    known = frozenset(hashes[at : at + HASH_BYTES] for at in range(0, len(hashes), HASH_BYTES))
    reading = _Reading(pull, databases.value_of(pull.cursor), known)
    asked = Asked(_address(pull), pull.relation, pull.cursor_column, reading.since)
    most = MOST_ROWS + len(known)
    with Receiver() as receiver:
        try:
            with databases.rows(asked, most=most) as rows:
                for line in reading.lines(rows):
                    receiver.write(line)
        except MendableError as error:
            raise error if isinstance(error, PullProblem) else PullProblem(PullCode.FILE) from error
        if not reading.number:
            return False
        is_full = reading.number >= MOST_ROWS
        if is_full and reading.greatest == reading.since:
            raise PullProblem(PullCode.TIES)
        _begin(pull, receiver, reading)
    return is_full


def _begin(pull: Pull, receiver: Receiver, reading: _Reading) -> None:
    """Begin the import and move the cursor, both or neither. Raises PullProblem."""
    cursor = databases.kept(reading.greatest)
    stored = ""
    try:
        with transaction.atomic():
            moment = timezone.localtime().strftime("%Y-%m-%d %H:%M")
            file_import = imports.keep(receiver, source=pull.source, file_name=f"{pull.name} {moment}.jsonl", by=BY)
            stored = file_import.stored_as
            definition = mappings.find(pull.mapping_name, file_import.columns)
            if definition is None:
                raise PullProblem(PullCode.MAPPING)
            imports.start(file_import=file_import, definition=definition, by=BY, mapping_name=pull.mapping_name)
            last_rows = b"".join(map(_hash, reading.ties))
            Pull.objects.filter(pk=pull.pk).update(cursor=cursor, last_rows=last_rows, last_import=file_import)
    except (mapping.InvalidMapping, MendableError) as error:
        if stored:
            store.remove(stored)
        if isinstance(error, PullProblem):
            raise
        is_mapping = isinstance(error, mapping.InvalidMapping)
        raise PullProblem(PullCode.MAPPING if is_mapping else PullCode.FILE) from error


def _address(pull: Pull) -> str:
    return hashing.unseal(bytes(pull.address)).decode()


def _key_of(column: str, row: Mapping[str, Any]) -> str:
    """The column as the database calls it: most take any case."""
    found = column if column in row else next((name for name in row if name.lower() == column.lower()), None)
    if found is None:
        raise PullProblem(PullCode.COLUMN, field="cursor_column")
    return found


def _plain(value: Any) -> Any:
    """A value for a JSON line: times without a zone are the company's, bytes are left out."""
    if isinstance(value, datetime) and value.tzinfo is None:
        return value.replace(tzinfo=ZoneInfo(settings.COMPANY_TIME_ZONE))
    return None if isinstance(value, bytes | bytearray | memoryview) else value


def _hash(line: bytes) -> bytes:
    return hashing.keyed(line.decode(), purpose="pulled_row")[:HASH_BYTES]
