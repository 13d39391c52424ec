"""Limits of how often a program may knock, held over all web processes and machines.

Who is limited may do `rate` things a second in the long run, and BURST_SECONDS of them at once (the generic cell rate
algorithm, ITU-T I.371: one moment per account says until when its rate is used up). That moment is one row of an
unlogged table. A process does not ask it for each request: it counts what it has taken, adds that to the row once it
is worth SETTLE_SECONDS of the rate, and learns how far ahead the account is over all processes. If it is too far, the
process refuses by itself, without a query and before the body is read, until the account may go on. So a noisy program
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

from cdp_site.core.errors import MendableError

BURST_SECONDS = 2.0
SETTLE_SECONDS = 0.1


class RateProblem(MendableError):
    """The program knocks more often than it may: nothing was done, it comes again later."""

    status = 429
    code = "rate_limit"

    def __init__(
        self,
        seconds: float,
        message: str = "More requests a second than this key may make; come again later.",
        *,
        hint: str = "Retry-After says in how many seconds. An administrator can raise the rate.",
    ) -> None:
        super().__init__(message, hint=hint)
        self.retry_after = max(1, math.ceil(seconds))
        self.headers = {"Retry-After": str(self.retry_after)}


@dataclass(slots=True)
class _Account:
    """What this process knows of one account. `owed`: things that are not charged yet; `free_at`: our clock."""

    owed: int = 0
    free_at: float = float("-inf")


class Limiter:
    """One process's part of the limits. Threads share it.

    Args:
        charge: adds seconds of an account's rate to its common row; returns how many seconds ahead it is then.
        clock: monotonic seconds.
        refusal: the problem that says how many seconds to wait.
    """

    def __init__(
        self,
        *,
        charge: Callable[[int, float], float],
        clock: Callable[[], float] = time.monotonic,
        refusal: Callable[[float], RateProblem] = RateProblem,
    ) -> None:
        self._charge = charge
        self._clock = clock
        self._refusal = refusal
        self._accounts: dict[int, _Account] = {}
        self._lock = threading.Lock()

    def admit(self, account_id: int, rate: int | None) -> None:
        """Raises RateProblem while the account is too far ahead of its rate. No query."""
        account = self._accounts.get(account_id)
        if rate is not None and account is not None and (wait := account.free_at - self._clock()) > 0:
            raise self._refusal(wait)

    def count(self, account_id: int, rate: int | None, things: int) -> None:
        """Charge what was taken; never refuses, since it is here already. At most one query, for one request in
        SETTLE_SECONDS of the rate."""
        if rate is None:
            return
        with self._lock:
            account = self._accounts.setdefault(account_id, _Account())
            account.owed += things
            if account.owed < rate * SETTLE_SECONDS:
                return
            owed, account.owed = account.owed, 0
        ahead = self._charge(account_id, owed / rate)
        if ahead > BURST_SECONDS:
            account.free_at = self._clock() + ahead - BURST_SECONDS

    def forget(self) -> None:
        """As if the process had just begun."""
        self._accounts.clear()
