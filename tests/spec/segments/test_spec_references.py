"""In another segment, on a list, reachable: what is asked of what is known elsewhere."""

from typing import Any
from uuid import UUID

import pytest

from segments.models import Segment
from tests.generative.segments.definitions import LISTS
from tests.generative.segments.populations import Eyes, RawConsent, RawIdentifier, RawPerson, RawRecord
from tests.spec.segments.asking import NOW, knowing, who

pytestmark = pytest.mark.django_db


# ── in a segment ─────────────────────────────────────────────────────────────────────────────────────────────────────


def segment_of(name: str, *conditions: dict[str, Any], kind: str = "all") -> dict[str, Any]:
    """The condition of being in a new segment."""
    made = Segment.objects.create(name=name, definition={"version": 2, "where": {"kind": kind, "of": list(conditions)}})
    return {"kind": "segment", "segment": str(made.pk), "is_in": True}


def lives_in(city: str) -> dict[str, Any]:
    return {"kind": "attribute", "trait": "city", "operator": "is", "value": city}


CITIES = {
    "Trang": knowing(city="Trang"),
    "Phuket": knowing(city="Phuket"),
    "both": knowing(city=["Trang", "Phuket"]),
    "unknown": knowing(),
}


def test_in_a_segment_is_what_the_segment_asks_now() -> None:
    trang = segment_of("Trang", lives_in("Trang"))

    assert who(CITIES, trang) == who(CITIES, lives_in("Trang"))
    Segment.objects.update(definition={"version": 2, "where": {"kind": "all", "of": [lives_in("Phuket")]}})
    assert who(CITIES, trang) == who(CITIES, lives_in("Phuket"))


def test_not_in_a_segment_is_the_exact_rest() -> None:
    """Also those of whom nothing is known, as with "none of"."""
    trang = segment_of("Trang", lives_in("Trang"))

    assert who(CITIES, {**trang, "is_in": False}) == set(CITIES) - who(CITIES, trang)
    assert who(CITIES, {**trang, "is_in": False}) == who(CITIES, {"kind": "not", "of": [lives_in("Trang")]})


def test_a_segment_of_segments() -> None:
    south = segment_of(
        "South", segment_of("Trang", lives_in("Trang")), segment_of("Phuket", lives_in("Phuket")), kind="any"
    )

    assert who(CITIES, south) == {"Trang", "Phuket", "both"}
    assert who(CITIES, {"kind": "not", "of": [{**south, "is_in": False}]}) == {"Trang", "Phuket", "both"}


def test_a_definition_of_an_older_version_is_read_in_a_segment_too() -> None:
    older = Segment.objects.create(
        name="older", definition={"version": 1, "where": {"kind": "all", "of": [lives_in("Trang")]}}
    )

    assert who(CITIES, {"kind": "segment", "segment": str(older.pk), "is_in": True}) == {"Trang", "both"}


# ── on a list ────────────────────────────────────────────────────────────────────────────────────────────────────────


def listed(*records: RawRecord) -> RawPerson:
    return RawPerson(records)


def on(wanted: str, *, is_in: bool = True) -> dict[str, Any]:
    return {"kind": "list", "list": wanted, "is_in": is_in}


def test_who_has_one_of_the_lists_records_now_is_on_it() -> None:
    """A list holds records: after a merge the one customer is on all the lists that the two were on."""
    first, second = LISTS
    crowd = {
        "on the first": listed(RawRecord("site", NOW, lists=frozenset({first}))),
        "merged": listed(RawRecord("till", NOW), RawRecord("site", NOW, lists=frozenset({first, second}))),
        "on none": listed(RawRecord("site", NOW)),
    }

    assert who(crowd, on(first)) == {"on the first", "merged"}
    assert who(crowd, on(second)) == {"merged"}
    assert who(crowd, on(first, is_in=False)) == {"on none"}
    assert who(crowd, on(str(UUID(int=5)), is_in=False)) == set(crowd)


def test_a_record_of_a_hidden_source_is_on_no_list() -> None:
    (first, _second) = LISTS
    crowd = {
        "by the site": listed(RawRecord("site", NOW, lists=frozenset({first}))),
        "by the till": listed(RawRecord("site", NOW), RawRecord("till", NOW, lists=frozenset({first}))),
    }
    eyes = Eyes(sources=frozenset({"site"}))

    assert who(crowd, on(first), eyes=eyes) == {"by the site"}
    assert who(crowd, on(first, is_in=False), eyes=eyes) == {"by the till"}


# ── reachable ────────────────────────────────────────────────────────────────────────────────────────────────────────


GOOD = RawIdentifier("email", "a@example.com")
GRANTED = RawConsent("marketing", "email", "granted", NOW)
REFUSED = RawConsent("research", "email", "refused", NOW)


def having(*identifiers: RawIdentifier, consents: tuple[RawConsent, ...] = (GRANTED,), **more: Any) -> RawPerson:
    return RawPerson((RawRecord("site", NOW, identifiers=identifiers, consents=consents),), **more)


def reachable(purpose: str = "marketing", channel: str = "email") -> dict[str, Any]:
    return {"kind": "reachable", "purpose": purpose, "channel": channel}


CONTACTS = {
    "granted": having(GOOD),
    "never asked": having(GOOD, consents=()),
    "refused": having(GOOD, consents=(RawConsent("marketing", "email", "refused", NOW),)),
    "objects to research": having(GOOD, consents=(GRANTED, REFUSED)),
    "no address": having(),
    "only a phone": having(RawIdentifier("phone", "+66812345678")),
    "junk": having(RawIdentifier("email", "a@example.com", problem="junk")),
    "a public key said so": having(RawIdentifier("email", "a@example.com", problem="public_key")),
    "replaced": having(RawIdentifier("email", "a@example.com", is_current=False)),
    "passed on": having(RawIdentifier("email", "a@example.com", is_ended=True)),
    "a second good one": having(RawIdentifier("email", "b@example.com", is_current=False), GOOD),
    "asks to be erased": having(GOOD, asks_erasure=True),
    "consent for another address": having(
        GOOD, consents=(RawConsent("marketing", "email", "granted", NOW, address="b@example.com"),)
    ),
}


@pytest.mark.parametrize(
    ("purpose", "channel", "expected"),
    [
        # By consent: a good address, and a yes that covers it.
        ("marketing", "email", {"granted", "objects to research", "a second good one"}),
        # By legitimate interest: a good address, and no objection; who was never asked is reached.
        (
            "research",
            "email",
            {"granted", "never asked", "refused", "a second good one", "consent for another address"},
        ),
        ("research", "sms", {"only a phone"}),
        ("marketing", "sms", set()),
        # An unknown purpose or channel reaches nobody.
        ("newsletter", "email", set()),
    ],
)
def test_reachable_is_what_the_gate_lets_through(purpose: str, channel: str, expected: set[str]) -> None:
    assert who(CONTACTS, reachable(purpose, channel)) == expected
    assert who(CONTACTS, {"kind": "not", "of": [reachable(purpose, channel)]}) == set(CONTACTS) - expected


def test_by_post_whom_the_golden_record_has_an_address_of() -> None:
    yes = RawConsent("marketing", "post", "granted", NOW)

    def living(consents: tuple[RawConsent, ...], **attributes: Any) -> RawPerson:
        return RawPerson((RawRecord("site", NOW, attributes, consents=consents),))

    crowd = {
        "granted": living((yes,), address="1 Sukhumvit Road"),
        "never asked": living((), address="1 Sukhumvit Road"),
        "no street": living((yes,), city="Trang"),
    }

    assert who(crowd, reachable("marketing", "post")) == {"granted"}
    assert who(crowd, reachable("research", "post")) == {"granted", "never asked"}


def test_a_department_reaches_by_the_addresses_that_it_sees() -> None:
    """What was said counts, whoever heard it; an address of a hidden source, or of a hidden trait, is none."""
    crowd = {
        "by the site": RawPerson((RawRecord("site", NOW, identifiers=(GOOD,), consents=(GRANTED,)),)),
        "by the till": RawPerson(
            (RawRecord("site", NOW, consents=(GRANTED,)), RawRecord("till", NOW, identifiers=(GOOD,)))
        ),
    }

    assert who(crowd, reachable(), eyes=Eyes(sources=frozenset({"site"}))) == {"by the site"}
    assert who(crowd, reachable(), eyes=Eyes(hidden_traits=frozenset({"email"}))) == set()
