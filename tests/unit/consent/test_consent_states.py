"""The rules of consent as tables: what was said, and what follows."""

from datetime import UTC, datetime, timedelta

import pytest

from consent.models import ConsentEntry, Purpose
from consent.states import Basis, Held, Origin, State, Statement, Target, overall, resolve

START = datetime(2026, 3, 1, tzinfo=UTC)
MAIL = "email"
ANYBODY = Target(MAIL, "")


def at(day: float) -> datetime:
    return START + timedelta(days=day)


def said(state: State, day: float, record: int = 1, address: str = "", **more: object) -> Statement:
    return Statement(record, MAIL, address, state, at(day), **more)  # type: ignore[arg-type]


def granted(day: float, record: int = 1, address: str = "", **more: object) -> Statement:
    return said(State.GRANTED, day, record, address, **more)


def refused(day: float, record: int = 1, address: str = "", **more: object) -> Statement:
    return said(State.REFUSED, day, record, address, **more)


def withdrawn(day: float, record: int = 1, address: str = "", **more: object) -> Statement:
    return said(State.WITHDRAWN, day, record, address, **more)


def cell(state: State, day: float, record: int = 1) -> Statement:
    return said(state, day, record, origin=Origin.CELL)


def browser(day: float, record: int = 1) -> Statement:
    return granted(day, record, origin=Origin.BROWSER)


def overruling(day: float, until: float, record: int = 2, address: str = "") -> Statement:
    return granted(day, record, address, supersedes_until=at(until))


@pytest.mark.parametrize(
    ("statements", "state"),
    [
        ([], State.NEVER),
        ([granted(1)], State.GRANTED),
        ([refused(1)], State.REFUSED),
        ([granted(1), withdrawn(2)], State.WITHDRAWN),
        ([withdrawn(1), granted(2)], State.GRANTED),
        ([granted(1), refused(1)], State.REFUSED),  # a tie denies
        ([refused(1), withdrawn(1)], State.WITHDRAWN),
        # two records of one person
        ([granted(1, record=1), refused(0, record=2)], State.REFUSED),  # even an older refusal wins
        ([refused(0, record=1), granted(5, record=2)], State.REFUSED),
        ([refused(0, record=1), overruling(5, until=0)], State.GRANTED),
        ([refused(0, record=1), overruling(5, until=1)], State.GRANTED),
        ([refused(2, record=1), overruling(5, until=1)], State.REFUSED),  # it named an earlier one
        ([refused(0, record=1), overruling(5, until=0), withdrawn(6, record=2)], State.WITHDRAWN),
        # who took an overruling grant back has not taken the refusal back by a later plain grant
        ([refused(0), overruling(5, until=0), withdrawn(6, record=2), granted(7, record=2)], State.REFUSED),
        ([refused(0), overruling(5, until=0), granted(7, record=2)], State.GRANTED),
        # cells of a nightly file
        ([cell(State.GRANTED, 1), withdrawn(2), cell(State.GRANTED, 3)], State.WITHDRAWN),
        ([cell(State.REFUSED, 1), granted(2), cell(State.REFUSED, 3)], State.GRANTED),
        ([cell(State.GRANTED, 1), cell(State.REFUSED, 2), cell(State.GRANTED, 3)], State.GRANTED),
        ([cell(State.GRANTED, 1), withdrawn(2), cell(State.REFUSED, 3), cell(State.GRANTED, 4)], State.GRANTED),
        # a public write key
        ([browser(1)], State.GRANTED),
        ([withdrawn(1), browser(2)], State.WITHDRAWN),
        ([withdrawn(1, record=1), browser(2, record=2)], State.WITHDRAWN),
        ([withdrawn(1), browser(2), granted(3)], State.GRANTED),
    ],
)
def test_state_of_a_person(statements: list[Statement], state: State) -> None:
    for order in (statements, statements[::-1]):
        verdicts = resolve(order, basis=Basis.CONSENT)
        assert overall(verdicts, MAIL, basis=Basis.CONSENT).state == state


@pytest.mark.parametrize(
    ("statements", "work", "home"),
    [
        # a grant for every address covers those of its own record
        ([granted(1, record=1)], State.GRANTED, State.NEVER),
        ([granted(1, record=1), granted(1, record=2)], State.GRANTED, State.GRANTED),
        # a denial for every address covers the whole person
        ([granted(1, record=1), granted(1, record=2), refused(2, record=1)], State.REFUSED, State.REFUSED),
        # a denial of one address leaves the other
        (
            [granted(1, record=1), granted(1, record=2), refused(2, record=1, address="work")],
            State.REFUSED,
            State.GRANTED,
        ),
        # a grant names an address of another record
        ([granted(1, record=1, address="home")], State.NEVER, State.GRANTED),
        # and overrules a general denial for that address alone
        (
            [refused(0, record=1), overruling(5, until=0, record=2, address="home")],
            State.REFUSED,
            State.GRANTED,
        ),
        # within a record the later statement about the address wins, whichever is the general one
        ([refused(1, record=1, address="work"), granted(2, record=1)], State.GRANTED, State.NEVER),
    ],
)
def test_state_of_an_address(statements: list[Statement], work: State, home: State) -> None:
    held = [Held(1, MAIL, "work"), Held(2, MAIL, "home")]
    verdicts = resolve(statements, basis=Basis.CONSENT, held=held)
    assert (verdicts[Target(MAIL, "work")].state, verdicts[Target(MAIL, "home")].state) == (work, home)


@pytest.mark.parametrize(
    ("basis", "usable"),
    [
        (Basis.CONSENT, {State.GRANTED}),
        (Basis.CONTRACT, {state for state in State if not state.denies}),
        (Basis.LEGITIMATE_INTEREST, {state for state in State if not state.denies}),
        (Basis.LEGAL_OBLIGATION, set(State)),
    ],
)
def test_what_a_basis_allows(basis: Basis, usable: set[State]) -> None:
    assert {state for state in State if basis.allows(state)} == usable


def test_the_deciding_statement_is_named() -> None:
    grant, refusal = granted(3, record=1), refused(1, record=2)
    assert resolve([grant, refusal], basis=Basis.CONSENT)[ANYBODY].because is refusal
    assert resolve([grant], basis=Basis.CONSENT)[ANYBODY].because is grant


def test_channels_do_not_speak_for_one_another() -> None:
    by_phone = Statement(1, "phone", "", State.REFUSED, at(5))
    verdicts = resolve([granted(1), by_phone], basis=Basis.CONSENT)
    assert verdicts[ANYBODY].is_usable
    assert not verdicts[Target("phone", "")].is_usable


def test_words_of_rules_and_ledger_are_the_same() -> None:
    worked_out = {State.NEVER, State.EXPIRED, State.NEEDS_GUARDIAN}
    assert {state.value for state in set(State) - worked_out} == set(ConsentEntry.State.values)
    assert {origin.value for origin in Origin} == set(ConsentEntry.Origin.values)
    assert {basis.value for basis in Basis} == set(Purpose.Basis.values)
