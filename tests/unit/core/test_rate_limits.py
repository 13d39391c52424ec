"""The limiter with a clock of the test's own, over one process and over several."""

import pytest

from cdp_site.core.rate_limits import BURST_SECONDS, SETTLE_SECONDS, Limiter, RateProblem

SOURCE = 7
RATE = 100


class World:
    """Several processes, one common account and one clock."""

    def __init__(self, processes: int = 1) -> None:
        self.now = 0.0
        self.used_until = 0.0
        self.charges = 0
        self.limiters = [Limiter(charge=self.charge, clock=lambda: self.now) for _ in range(processes)]

    def charge(self, source_id: int, seconds: float) -> float:
        self.charges += 1
        self.used_until = max(self.used_until, self.now) + seconds
        return self.used_until - self.now

    def send(self, limiter: Limiter, messages: int = 1, *, rate: int | None = RATE) -> bool:
        try:
            limiter.admit(SOURCE, rate)
        except RateProblem:
            return False
        limiter.count(SOURCE, rate, messages)
        return True

    def run(self, *, seconds: float, asked_per_second: int, messages: int = 1) -> int:
        """Requests spread evenly over time and processes; returns how many messages were taken."""
        taken = 0
        for number in range(int(seconds * asked_per_second)):
            self.now += 1 / asked_per_second
            taken += messages * self.send(self.limiters[number % len(self.limiters)], messages)
        return taken


@pytest.mark.parametrize("processes", [1, 8])
@pytest.mark.parametrize("messages", [1, 100])
def test_ten_times_the_rate_is_taken_at_the_rate(processes, messages):
    world = World(processes)
    seconds = 60

    taken = world.run(seconds=seconds, asked_per_second=10 * RATE // messages, messages=messages)

    # what is let through before the account is looked at: a settlement or a batch for each process
    slack = processes * max(SETTLE_SECONDS * RATE, messages)
    assert RATE * seconds <= taken <= RATE * (seconds + BURST_SECONDS) + slack


def test_below_its_rate_a_source_is_never_refused():
    world = World(processes=2)

    assert world.run(seconds=60, asked_per_second=RATE - 1) == 60 * (RATE - 1)


def test_a_burst_is_taken_and_then_paid_back():
    world = World()
    (limiter,) = world.limiters

    assert world.send(limiter, 500)
    with pytest.raises(RateProblem) as refused:
        limiter.admit(SOURCE, RATE)

    assert refused.value.retry_after == 500 / RATE - BURST_SECONDS
    world.now += refused.value.retry_after
    assert world.send(limiter)


def test_refusing_asks_nothing():
    world = World()
    world.send(world.limiters[0], 10_000)

    for _ in range(1_000):
        assert not world.send(world.limiters[0])

    assert world.charges == 1


def test_without_a_limit_nothing_is_counted():
    world = World()

    for _ in range(1_000):
        assert world.send(world.limiters[0], 5_000, rate=None)

    assert world.charges == 0


def test_a_limit_that_was_lifted_holds_nobody():
    world = World()
    world.send(world.limiters[0], 10_000)

    assert not world.send(world.limiters[0])
    assert world.send(world.limiters[0], rate=None)
