"""Whether what is to be served is whole: no restore was broken off, and the database knows every erasure of the ledger.
One that was restored past `manage.py restore` may not."""

from collections.abc import Iterable, Iterator
from itertools import islice

from cdp_site.embedded_postgres import DatabaseProblem
from cdp_site.operations.backup import files
from consent.erasure import ledger_file
from ingestion.models import SuppressedIdentifier

_AT_ONCE = 5_000


def ensure_erasures_are_known() -> None:
    """Return quietly when whoever the ledger says was erased is kept out here, too: that is written in the transaction
    that begins an erasure. A query for every 5,000 identifiers.

    Raises:
        DatabaseProblem: with the reason and the mend.
    """
    if files.is_broken_off():
        raise DatabaseProblem(
            "A restore was broken off: the files may be of another day than the database.",
            "Run `manage.py restore` again.",
        )
    try:
        entries = ledger_file.read()
    except ledger_file.LedgerDamagedError as problem:
        raise DatabaseProblem(
            f"The erasure ledger {ledger_file.path()} cannot be trusted: {problem}.",
            "Put back a copy of it (each backup has one): nobody could say who was erased.",
        ) from problem
    keys = {bytes.fromhex(kept.key) for entry in entries for kept in entry.suppressed}
    known = sum(SuppressedIdentifier.objects.filter(key__in=some).count() for some in _batches(keys))
    if known < len(keys):
        raise DatabaseProblem(
            "The database does not know all erasures of the ledger: it was restored, and may hold erased people again.",
            "Run `manage.py replay_erasures` before anybody is served; `manage.py restore` does that by itself.",
        )


def _batches(keys: Iterable[bytes]) -> Iterator[list[bytes]]:
    remaining = iter(keys)
    while some := list(islice(remaining, _AT_ONCE)):
        yield some
