"""Numbers that call, and the facts that callers are asked for: how they are read."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from profiles.calling import facts, numbers
from profiles.calling.callers import initials
from profiles.calling.facts import Kind
from profiles.models import Order


@pytest.mark.parametrize(
    "written",
    [
        "0863451972",
        "086-345-1972",
        "+66 86 345 1972",
        "0066863451972",
        "๐๘๖-๓๔๕-๑๙๗๒",
        "tel:+66-86-345-1972",
        "sip:+66863451972@pbx.example.com;user=phone",
        "SIP:0863451972@10.0.0.7",
    ],
)
def test_a_number_is_read_as_telephone_systems_write_it(written: str) -> None:
    assert numbers.read(written) == "+66863451972"


@pytest.mark.parametrize("written", ["", "anonymous", "Unknown", "sip:anonymous@anonymous.invalid", "312", "x" * 500])
def test_a_withheld_number_is_none(written: str) -> None:
    assert numbers.read(written) is None


def test_what_is_kept_of_a_number_can_be_read_with_our_key_alone() -> None:
    kept = numbers.kept("+66863451972")
    assert kept["last_four"] == "1972"
    assert b"863451972" not in bytes(kept["sealed_number"]) + bytes(kept["number_hash"])
    assert numbers.kept(None) == {"number_hash": b"", "last_four": "", "sealed_number": None}


@pytest.mark.parametrize(
    ("kind", "said", "read"),
    [
        (Kind.BIRTH_DATE, "14/2/2534", "1991-02-14"),
        (Kind.BIRTH_DATE, "๑๔ ก.พ. ๒๕๓๔", "1991-02-14"),
        (Kind.BIRTH_DATE, "14 Feb 1991", "1991-02-14"),
        (Kind.BIRTH_DATE, "14/2/34", None),  # which hundred, and of which era
        (Kind.BIRTH_DATE, "last summer", None),
        (Kind.CITIZEN, "1972", "1972"),
        (Kind.CITIZEN, "๑๙๗๒", "1972"),
        (Kind.CITIZEN, "197", None),
        (Kind.EMAIL, " Pim.Sae@Baansabai.CO.TH ", "pim.sae@baansabai.co.th"),
        (Kind.EMAIL, "noemail@example.com", "noemail@example.com"),
        (Kind.EMAIL, "pim at example", None),
        (Kind.POSTCODE, "10 260", "10260"),
        (Kind.POSTCODE, "1026", None),
        (Kind.MEMBER, "m-88 213", "m88213"),
        (Kind.MEMBER, "88", None),
        (Kind.ORDER, "wb-000123-001", "wb000123001"),
        (Kind.AMOUNT, "฿4,740.00", "4740"),
        (Kind.AMOUNT, "4740 บาท", "4740"),
        (Kind.AMOUNT, "much", None),
        (Kind.AMOUNT, "1.2.3", None),
    ],
)
def test_answers_are_read_as_people_say_them(kind: Kind, said: str, read: str | None) -> None:
    assert facts.read(kind, said) == read


def test_what_is_known_is_what_any_record_says() -> None:
    orders = [
        Order(external_id="WB-0002", total=Decimal("4740.50"), placed_at=datetime(2026, 11, 2, tzinfo=UTC)),
        Order(external_id="7", total=Decimal(99), placed_at=datetime(2026, 11, 1, tzinfo=UTC)),
    ]
    known = facts.known(
        [
            {
                "birth_date": "1991-02-14",
                "email": ["pim@baansabai.co.th", "tim@baansabai.co.th", "noemail@example.com"],
                "postcode": 10260,
            },
            {"birth_date": "14/2/34", "email": "tim@baansabai.co.th", "national_id": "1972", "member_id": None},
        ],
        orders,
    )
    assert known == {
        Kind.BIRTH_DATE: {"1991-02-14"},
        Kind.CITIZEN: {"1972"},
        Kind.EMAIL: {"pim@baansabai.co.th", "tim@baansabai.co.th"},
        Kind.POSTCODE: {"10260"},
        Kind.ORDER: {"wb0002"},  # one of a single digit would be guessed
        Kind.AMOUNT: {"4740"},
    }


def test_two_facts_of_one_paper_are_one() -> None:
    assert facts.are_enough([Kind.BIRTH_DATE, Kind.ORDER])
    assert not facts.are_enough([Kind.ORDER, Kind.AMOUNT])
    assert not facts.are_enough([Kind.BIRTH_DATE])


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ({"title": "นาย", "first_name": "สมชาย", "last_name": "ใจดี"}, "ส•••• จ••••"),
        ({"first_name": "เกียรติ"}, "ก••••"),
        ({"name": "somchai jaidee"}, "S•••• J••••"),
        ({"phone": "+66863451972"}, ""),
    ],
)
def test_a_card_shows_how_a_name_begins_and_no_more(values: dict[str, str], shown: str) -> None:
    assert initials(values) == shown
