"""Nobody becomes one person because of a name: whatever was learned, something else has to agree."""

from typing import Any

import pytest

from profiles.matching.caps import FAMILY_ONLY, OTHER_NAME
from profiles.matching.comparable import COMMON_FIELDS, NAME_FIELDS, comparable
from profiles.matching.learned import NAME_CAP, LearnedMatcher, Weights
from profiles.matching.likeness import COMPARISONS

# A model that believes every field as firmly as one can: only the rule holds it back.
CREDULOUS = Weights(prior=-2.0, curves={c.name: ((0.0, -4.0), (0.6, 1.0), (1.0, 9.0)) for c in COMPARISONS})

PHONE, OTHER_PHONE = ("phone", "global", "+66812345678"), ("phone", "global", "+66998765432")
EMAIL, PASSPORT = ("email", "global", "somchai@gmail.com"), ("passport", "th", "AA12345")
COMMON = {"gender": "male", "city": "Phuket", "postcode": "83000"}


@pytest.fixture(scope="module")
def matcher() -> LearnedMatcher:
    return LearnedMatcher(CREDULOUS)


def somchai(*identifiers: tuple[str, str, str], **traits: Any) -> dict[str, Any]:
    return comparable({"first_name": "สมชาย", "last_name": "ใจดี", **traits}, identifiers)


def somchai_in_latin(*identifiers: tuple[str, str, str], **traits: Any) -> dict[str, Any]:
    return comparable({"name": "Somchai Jaidee", **traits}, identifiers)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (somchai(), somchai()),
        (somchai(), somchai_in_latin()),
        (somchai(**COMMON), somchai(**COMMON)),
        (somchai(**COMMON), somchai_in_latin(**COMMON)),
        (comparable({"display_name": "น้องสมชาย"}), somchai()),
        # each knows a field that the other does not
        (somchai(PHONE, birth_date="1990-02-04"), somchai_in_latin(EMAIL)),
        # what they both know differs
        (somchai(PHONE), somchai(OTHER_PHONE)),
        (somchai(birth_date="1990-02-04", **COMMON), somchai(birth_date="1971-11-23", **COMMON)),
    ],
)
def test_names_and_what_thousands_share_join_nobody(
    matcher: LearnedMatcher, a: dict[str, Any], b: dict[str, Any]
) -> None:
    (there,), (back,) = matcher.score([(a, b)]), matcher.score([(b, a)])
    assert there == back <= NAME_CAP
    assert matcher.explain(a, b).score == pytest.approx(there)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (somchai(PHONE), somchai_in_latin(PHONE)),
        (somchai(EMAIL), somchai_in_latin(EMAIL)),
        (somchai(PASSPORT), somchai_in_latin(PASSPORT)),
        (somchai(birth_date="1990-02-04"), somchai_in_latin(birth_date="1990-02-04")),
        (
            somchai(address="99 ถ.สีลม เขตบางรัก กทม. 10500"),
            somchai_in_latin(address="99 Silom Rd, Khet Bang Rak, Bangkok 10500"),
        ),
    ],
)
def test_one_more_field_that_agrees_does(matcher: LearnedMatcher, a: dict[str, Any], b: dict[str, Any]) -> None:
    (score,) = matcher.score([(a, b)])
    assert score > 0.99


HOME = {"address": "99 ถ.สีลม เขตบางรัก กทม. 10500", "city": "Bangkok", "postcode": "10500"}


def test_what_a_family_shares_joins_no_two_given_names(matcher: LearnedMatcher) -> None:
    sister = comparable({"first_name": "วันเพ็ญ", "last_name": "ใจดี", **HOME}, (PHONE, EMAIL))
    score = matcher.score([(somchai(PHONE, EMAIL, **HOME), sister)])[0]
    why = matcher.explain(somchai(PHONE, EMAIL, **HOME), sister)
    assert score <= NAME_CAP
    assert why.score == pytest.approx(score)
    assert FAMILY_ONLY in [one.field for one in why.fields]


def test_who_shares_what_one_person_has_may_have_changed_the_given_name(matcher: LearnedMatcher) -> None:
    renamed = comparable({"first_name": "ธนกฤต", "last_name": "ใจดี", **HOME}, (PASSPORT,))
    assert matcher.score([(somchai(PASSPORT, **HOME), renamed)])[0] > 0.99


BORN = {"birth_date": "1990-02-04"}
ROAD = {"address": "12 ถ.สีลม เขตบางรัก กทม. 10500", "city": "Bangkok", "postcode": "10500"}


@pytest.mark.parametrize(
    "other",
    [
        # of a million people hundreds share these with somebody of another surname
        comparable({"first_name": "สมชาย", "last_name": "รักไทย", **BORN}),
        comparable({"first_name": "สมชาย", "last_name": "รักไทย", **BORN, **ROAD}),
        comparable({"first_name": "วันเพ็ญ", "last_name": "ใจดี", **BORN, **ROAD}),
        comparable({"first_name": "Harry", "last_name": "Novak", **BORN, **ROAD}),
        # half a name is shared by as many
        comparable({"display_name": "สมชาย", **BORN}),
        comparable(BORN | COMMON),
        # a number that one lent the other
        comparable({"first_name": "Harry", "last_name": "Novak"}, [PHONE]),
    ],
)
def test_what_strangers_share_in_a_large_stock_joins_nobody(matcher: LearnedMatcher, other: dict[str, Any]) -> None:
    one = somchai(PHONE, **BORN, **HOME)
    (there,), (back,) = matcher.score([(one, other)]), matcher.score([(other, one)])
    assert there == back <= NAME_CAP
    assert matcher.explain(one, other).score == pytest.approx(there)


def test_the_explanation_says_what_holds_it_down(matcher: LearnedMatcher) -> None:
    other = comparable({"first_name": "สมชาย", "last_name": "รักไทย", **BORN})
    fields = [field.field for field in matcher.explain(somchai(**BORN), other).fields]
    assert fields[-1] == OTHER_NAME


@pytest.mark.parametrize(
    "other",
    [
        comparable({"first_name": "สมชาย", "last_name": "รักไทย"}, [PHONE]),  # who has married
        comparable({"first_name": "สมชาย", "last_name": "รักไทย", **BORN, **HOME}),
        comparable({"first_name": "วันเพ็ญ", "last_name": "ใจดี", **BORN}, [PHONE]),  # who has another first name
        comparable({"first_name": "Harry", "last_name": "Novak", **BORN}, [PHONE]),
        comparable({"display_name": "สมชาย"}, [PHONE]),
        comparable(BORN, [EMAIL]),
    ],
)
def test_without_the_whole_name_something_of_ones_own_has_to_agree(
    matcher: LearnedMatcher, other: dict[str, Any]
) -> None:
    assert matcher.score([(somchai(PHONE, EMAIL, **BORN, **HOME), other)])[0] > 0.9


def test_every_comparison_is_of_a_name_of_many_or_of_one() -> None:
    """A comparison that is added must say whether it can join two people."""
    names = {comparison.name for comparison in COMPARISONS}
    assert names - NAME_FIELDS - COMMON_FIELDS == {"birth_dates", "phones", "emails", "ids", "addresses"}
