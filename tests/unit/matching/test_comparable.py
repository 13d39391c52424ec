"""What of a record is compared."""

import json
from typing import Any

import pytest

from profiles.matching.comparable import COMMON_FIELDS, FIELDS, NAME_FIELDS, comparable
from profiles.matching.likeness import COMPARISONS

PHONE, EMAIL = ("phone", "global", "+66812345678"), ("email", "global", "somchai@example.org")


def known(record: dict[str, Any]) -> dict[str, Any]:
    return {field: value for field, value in record.items() if value is not None}


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({}, {}),
        ({"first_name": "  ", "name": "-", "birth_date": "25/5/01", "gender": "other", "city": None}, {}),
        (
            {"first_name": "นายสมชาย", "last_name": "ใจดี", "gender": "male"},
            {"people": (("สมชาย", "ใจดี"),), "given": ("สมชาย",), "family": ("ใจดี",), "names": ("สมชาย ใจดี",),
             "gender": "male"},
        ),
        (
            {"name": "Dr. Zoë MÜLLER Jr."},
            {"people": (("zoe", "muller"),), "given": ("zoe",), "family": ("muller",), "names": ("zoe muller jr",)},
        ),
        (  # a given name alone says no more than the same one with its surname
            {"first_name": "Somchai", "name": "Somchai Jaidee"},
            {"people": (("somchai", "jaidee"),), "given": ("somchai",), "family": ("jaidee",),
             "names": ("somchai", "somchai jaidee")},
        ),
        (  # two scripts
            {"first_name": ["สมชาย", "Somchai"], "last_name": ["ใจดี", "Jaidee"]},
            {"people": (("somchai", "jaidee"), ("สมชาย", "ใจดี")), "given": ("somchai", "สมชาย"),
             "family": ("jaidee", "ใจดี"), "names": ("somchai jaidee", "สมชาย ใจดี")},
        ),
        # what somebody is called in a chat is no name of theirs, nor is a company's
        ({"display_name": "น้องศยา"}, {"names": ("น้องศยา",)}),
        ({"name": "Acme Co Ltd"}, {"names": ("acme co ltd",)}),
        ({"birth_date": "1991-03-02"}, {"birth_dates": ("1991-03-02",)}),
        ({"birth_date": ["1991-03-02", "1900-01-01", "soon"]}, {"birth_dates": ("1991-03-02",)}),
        ({"phone": ["+66812345678", "081"], "email": "A"}, {"phones": ("+66812345678",)}),
        (
            {"address": "9 ถนนสีลม", "district": "เขตบางรัก", "province": "กทม.", "postcode": "10500"},
            {"addresses": (("9", "", "", "สีลม", "", "บางรัก", "", "bangkok", "10500", ()),), "postcodes": ("10500",),
             "places": ("bangkok", "บางรัก")},
        ),
        ({"city": "Phuket"}, {"places": ("phuket",)}),  # a town is no address
    ],
)  # fmt: skip
def test_what_attributes_tell(attributes: dict[str, Any], expected: dict[str, Any]) -> None:
    record = comparable(attributes)
    assert known(record) == expected
    assert tuple(record) == FIELDS


def test_contacts_are_those_that_may_be_evidence() -> None:
    """A phone that anybody could write into a browser is shown with the record and compared with nothing."""
    shown = {"phone": "+66899999998", "email": "typed@example.org"}
    assert known(comparable(shown, [PHONE, EMAIL])) == {
        "phones": ("+66812345678",),
        "emails": ("somchai@example.org",),
    }
    assert known(comparable(shown, [])) == {}
    assert known(comparable(shown)) == {"phones": ("+66899999998",), "emails": ("typed@example.org",)}


def test_ids_are_what_only_one_person_has() -> None:
    own = [("citizen", "global", "a" * 64), ("member", "pos", "M1")]
    of_the_source = [("user", "web", "u1"), ("device", "web", "d1"), ("member", "crm", "")]
    assert comparable({}, [*of_the_source, *own, PHONE])["ids"] == tuple(own)


def test_the_order_in_which_values_came_makes_no_difference() -> None:
    one = comparable({"first_name": ["A", "B"], "last_name": ["X", "Y"], "email": []}, [PHONE, EMAIL])
    other = comparable({"last_name": ["Y", "X"], "first_name": ["B", "A"]}, [EMAIL, PHONE, EMAIL])
    assert one == other


def test_a_list_of_people_is_cut_short() -> None:
    record = comparable({"first_name": [f"Name{chr(97 + n)}" for n in range(20)]})
    assert len(record["given"]) == 12


def test_a_record_can_be_hashed_and_written_as_json() -> None:
    attributes = {"name": "สมชาย ใจดี", "address": "9 ถนนสีลม หมู่บ้านเอ", "gender": "male"}
    record = comparable(attributes, [PHONE, ("passport", "th", "AA123")])
    assert json.loads(json.dumps(record)).keys() == record.keys()
    assert len({tuple(record.items()), tuple(record.items())}) == 1


def test_every_field_of_a_name_is_one_that_makes_nobody_one_person() -> None:
    assert {*NAME_FIELDS, *COMMON_FIELDS} <= {*FIELDS, *(comparison.name for comparison in COMPARISONS)}
    telling = {comparison.name for comparison in COMPARISONS} - NAME_FIELDS - COMMON_FIELDS
    assert telling == {"birth_dates", "phones", "emails", "ids", "addresses"}
