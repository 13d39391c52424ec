"""How a stored value is compared, and what it means that none is known."""

from typing import Any

import pytest

from tests.spec.segments.asking import knowing, saw, seeing, who

pytestmark = pytest.mark.django_db

NEVER_STATED = object()

STORED: dict[str, Any] = {
    "text": "Bangkok",
    "other text": "Chiang Mai",
    "blank": "",
    "null": None,
    "absent": NEVER_STATED,
    "empty list": [],
    "list": ["Bangkok", "Chiang Mai"],
    "other list": ["Chiang Mai", 7],
    "object": {"street": "Bangkok"},
    "number": 7,
}
# A value is known, or it is not; the six comparisons of a value are false where none is known. So "is not" and "is",
# "contains" and "does not contain" leave the unknown to neither side: it is asked for with "unknown".
#                         text other blank null absent []  list other-list object number
TABLE = """
known                      ✓    ✓     ·     ·     ·     ·    ✓      ✓        ✓      ✓
unknown                    ·    ·     ✓     ✓     ✓     ✓    ·      ·        ·      ·
is=bangkok                 ✓    ·     ·     ·     ·     ·    ✓      ·        ·      ·
is_not=bangkok             ·    ✓     ·     ·     ·     ·    ·      ✓        ·      ✓
in=bangkok,7               ✓    ·     ·     ·     ·     ·    ✓      ✓        ·      ✓
not_in=bangkok,7           ·    ✓     ·     ·     ·     ·    ·      ·        ·      ·
contains=KOK               ✓    ·     ·     ·     ·     ·    ✓      ·        ·      ·
not_contains=KOK           ·    ✓     ·     ·     ·     ·    ·      ✓        ·      ✓
starts_with=ban            ✓    ·     ·     ·     ·     ·    ✓      ·        ·      ·
"""


@pytest.mark.parametrize("line", TABLE.strip().splitlines(), ids=lambda line: line.split()[0])
def test_texts_and_the_unknown(line: str) -> None:
    asked, *marks = line.split()
    operator, _, written = asked.partition("=")
    value = written.split(",") if operator.endswith("in") else written or None
    crowd = {name: seeing(**({} if stored is NEVER_STATED else {"city": stored})) for name, stored in STORED.items()}

    assert who(crowd, saw("city", operator, value)) == {
        name for name, mark in zip(STORED, marks, strict=True) if mark == "✓"
    }


@pytest.mark.parametrize(
    ("stored", "operator", "value", "holds"),
    [
        # Case does not matter, accents and tone marks do; Thai has no case.
        ("ÉCOLE", "is", "école", True),
        ("Ecole", "is", "école", False),
        ("กรุงเทพฯ", "is", "กรุงเทพฯ", True),
        ("กรุงเทพ", "starts_with", "กรุง", True),
        # What means something to SQL or to a pattern means nothing here.
        ("100%", "contains", "0%", True),
        ("1000", "contains", "0%", False),
        ("a_b", "contains", "a_b", True),
        ("axb", "contains", "a_b", False),
        ("O'Neill", "is", "o'neill", True),
        ("back\\slash", "contains", "\\s", True),
        # A number is compared as a number, also one that came as text; a text that is none has no number.
        (5, "is", 5, True),
        ("5.0", "is", 5, True),
        (5, "is", "5", True),
        ("5.0", "is", "5", False),
        ("007", "at_most", 7, True),
        ("five", "is_not", 5, True),
        ("five", "less_than", 5, False),
        ("1e3", "more_than", 5, False),
        ("-2", "less_than", 0, True),
        (1e21, "more_than", 10**14, True),
        (5, "between", [5, 6], True),
        (6.01, "between", [5, 6], False),
        ([1, 9], "between", [2, 8], False),
        ([1, 9], "more_than", 8, True),
        (["five", "7.0"], "between", [6, 8], True),
        ({"n": 7}, "at_least", 1, False),
        # Yes and no, also as files write them.
        (True, "is", True, True),
        ("TRUE", "is", True, True),
        (False, "is", True, False),
        (False, "is_not", True, True),
        (1, "is", True, False),
        # Dates: today is 2026-11-22 in Bangkok. A moment belongs to the company's day in which it lies.
        ("2026-11-22", "on", "2026-11-22", True),
        ("2026-11-21T17:00:00Z", "on", "2026-11-22", True),
        ("2026-11-21T16:59:59Z", "on", "2026-11-22", False),
        ("2026-11-22T00:30:00+07:00", "on", "2026-11-22", True),
        ("2026-11-22T23:59", "on", "2026-11-22", True),
        ("2026-11-21", "before", "2026-11-22", True),
        ("2026-11-22", "before", "2026-11-22", False),
        ("2026-11-23", "after", "2026-11-22", True),
        ("2026-11-22", "after", "2026-11-22", False),
        ("2026-11-01", "between_dates", ["2026-11-01", "2026-11-30"], True),
        ("2026-11-30", "between_dates", ["2026-11-01", "2026-11-30"], True),
        ("2026-02-30", "before", "2026-11-22", False),
        ("22/11/2026", "on", "2026-11-22", False),
        ("soon", "before", "2026-11-22", False),
        ("2026/11/22", "on", "2026-11-22", False),
        ("2026-11-31", "between_dates", ["2026-11-01", "2026-12-31"], False),
        ("2026-11-31T10:00", "between_dates", ["2026-11-01", "2026-12-31"], False),
        # However far its zone lies from the company's.
        ("2026-11-22T00:30:00+14:59", "on", "2026-11-21", True),
        ("2026-11-22T00:30:00+14:59", "before", "2026-11-22", True),
        ("2026-11-21T23:30:00-14:00", "after", "2026-11-21", True),
        ("2026-11-21T23:30:00-14:00", "in_last_days", 1, True),
        # One of several is enough; what is inside an object is asked for by nobody.
        (["soon", "2026-11-22"], "on", "2026-11-22", True),
        (["2026-10-31", "2026-12-01"], "between_dates", ["2026-11-01", "2026-11-30"], False),
        (["2026-11-21T17:00:00Z", 7], "after", "2026-11-21", True),
        (["1999-01-01"], "before", "2026-11-22", True),
        ({"day": "2026-11-22"}, "on", "2026-11-22", False),
        # "In the last 7 days" is today and the six days before; exactly 7 days ago is neither in them nor more.
        ("2026-11-22", "in_last_days", 7, True),
        ("2026-11-16", "in_last_days", 7, True),
        ("2026-11-15", "in_last_days", 7, False),
        ("2026-11-23", "in_last_days", 7, False),
        ("2026-11-15", "more_than_days_ago", 7, False),
        ("2026-11-14", "more_than_days_ago", 7, True),
        ("2026-11-22", "in_next_days", 7, True),
        ("2026-11-28", "in_next_days", 7, True),
        ("2026-11-29", "in_next_days", 7, False),
    ],
)
def test_comparisons(stored: Any, operator: str, value: Any, holds: bool) -> None:
    expected = {"somebody"} if holds else set()

    assert who({"somebody": seeing(p=stored)}, saw("p", operator, value)) == expected


def test_an_attribute_is_compared_in_the_same_way() -> None:
    crowd = {"known": knowing(city="Bangkok"), "other": knowing(city="Trang"), "unknown": knowing()}

    def asked(operator: str, **value: str) -> set[str]:
        return who(crowd, {"kind": "attribute", "trait": "city", "operator": operator, **value})

    assert asked("is", value="BANGKOK") == {"known"}
    assert asked("is_not", value="bangkok") == {"other"}
    assert asked("unknown") == {"unknown"}
