"""A limit per source for the event API, held over all web processes and machines.

A source may send `rate` messages a second in the long run, and BURST_SECONDS of them at once (the generic cell rate
algorithm, ITU-T I.371: one moment per source says until when its rate is used up). That moment is one row of an
unlogged table. A process does not ask it for each request: it counts what it has taken, adds that to the row once it
is worth SETTLE_SECONDS of the rate, and learns how far ahead the source is over all processes. If it is too far, the
process refuses by itself, without a query and before the body is read, until the source may go on. So a noisy source
costs its neighbours a header and a look-up in a dictionary; everything taken is charged, and what the processes let
through between two looks (SETTLE_SECONDS of the rate for each) is paid back by waiting longer.

A share of the rate for each process would need no row, but keep-alive connections do not spread evenly: a sender with
one connection would be held to a fraction of its rate.
"""

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from django.db import connection

from cdp_site.core import memory
from cdp_site.core.errors import MendableError

BURST_SECONDS = 2.0
SETTLE_SECONDS = 0.1


class RateProblem(MendableError):
    """The source sends faster than it may: nothing was kept, the client sends it again later."""

    status = 429
    code = "rate_limit"

    def __init__(self, seconds: float) -> None:
        super().__init__(
            "This source sends more messages a second than it may; send this again later.",
            hint="Retry-After says in how many seconds. An administrator can raise the source's rate.",
        )
        self.retry_after = max(1, math.ceil(seconds))


@dataclass(slots=True)
class _Account:
    """What this process knows of one source. `owed`: messages that are not charged yet; `free_at`: our clock."""

    owed: int = 0
    free_at: float = float("-inf")


class Limiter:
    """One process's part of the limits. Threads share it.

    Args:
        charge: adds seconds of a source's rate to its common account; returns how many seconds ahead it is then.
        clock: monotonic seconds.
    """

    def __init__(self, *, charge: Callable[[int, float], float], clock: Callable[[], float] = time.monotonic) -> None:
        self._charge = charge
        self._clock = clock
        self._accounts: dict[int, _Account] = {}
        self._lock = threading.Lock()

    def admit(self, source_id: int, rate: int | None) -> None:
        """Raises RateProblem while the source is too far ahead of its rate. No query."""
        account = self._accounts.get(source_id)
        if rate is not None and account is not None and (wait := account.free_at - self._clock()) > 0:
            raise RateProblem(wait)

    def count(self, source_id: int, rate: int | None, messages: int) -> None:
        """Charge what was taken; never refuses, since the messages are here already. At most one query, for one
        request in SETTLE_SECONDS of the rate."""
        if rate is None:
            return
        with self._lock:
            account = self._accounts.setdefault(source_id, _Account())
            account.owed += messages
            if account.owed < rate * SETTLE_SECONDS:
                return
            owed, account.owed = account.owed, 0
        ahead = self._charge(source_id, owed / rate)
        if ahead > BURST_SECONDS:
            account.free_at = self._clock() + ahead - BURST_SECONDS

    def forget(self) -> None:
        """As if the process had just begun."""
        self._accounts.clear()


_CHARGE = """
INSERT INTO ingestion_sendingrate AS r (source_id, used_until)
VALUES (%(source)s, clock_timestamp() + make_interval(secs => %(seconds)s))
    ON CONFLICT (source_id) DO UPDATE
       SET used_until = greatest(r.used_until, clock_timestamp()) + make_interval(secs => %(seconds)s)
RETURNING extract(epoch FROM used_until - clock_timestamp())::float8
"""


def charge(source_id: int, seconds: float) -> float:
    """Use up that many seconds of the source's rate, whoever sends; returns how far ahead of now it has. One statement,
    which waits for no disk: the table is unlogged."""
    with connection.cursor() as cursor:
        cursor.execute(_CHARGE, {"source": source_id, "seconds": seconds})
        ahead: float = cursor.fetchone()[0]
        return ahead


limiter = Limiter(charge=charge)
memory.forgets(limiter.forget)
