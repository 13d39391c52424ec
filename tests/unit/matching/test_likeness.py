"""How alike two values are: tables of what a person would say."""

from typing import Any

import pytest

from profiles.matching import likeness
from profiles.matching.comparable import comparable

ALIKE, CLOSE, NEAR, UNLIKE = (0.9, 1.0), (0.75, 1.0), (0.35, 0.9), (0.0, 0.35)


def within(value: float | None, bounds: tuple[float, float]) -> bool:
    return value is not None and bounds[0] <= value <= bounds[1]


@pytest.mark.parametrize(
    ("a", "b", "bounds"),
    [
        ("somchai", "somchai", (1.0, 1.0)),
        ("สมชาย", "somchai", ALIKE), ("ธนกร", "thanakorn", ALIKE), ("ธนกร", "tanagorn", ALIKE),
        ("ณัฐพล", "natthaphon", ALIKE), ("กฤษดา", "kritsada", CLOSE),
        ("robert", "bob", ALIKE), ("liz", "elizabeth", ALIKE),
        ("som", "somchai", NEAR), ("mary", "mary ann", CLOSE), ("r", "robert", NEAR), ("ส", "somchai", NEAR),
        ("harley", "harly", CLOSE), ("สุรชัย", "สุชรัย", CLOSE),
        ("kittisak", "kittipong", UNLIKE), ("สมชาย", "สมหญิง", UNLIKE), ("b", "robert", NEAR), ("k", "robert", UNLIKE),
        ("somchai", "robert", UNLIKE), ("wanida", "ธนกร", UNLIKE),
    ],
)  # fmt: skip
def test_given_names(a: str, b: str, bounds: tuple[float, float]) -> None:
    assert within(likeness.given_names(a, b), bounds), likeness.given_names(a, b)
    assert likeness.given_names(a, b) == likeness.given_names(b, a)


@pytest.mark.parametrize(
    ("a", "b", "bounds"),
    [
        ("ใจดี", "jaidee", ALIKE), ("smith", "smyth", ALIKE), ("smith-jones", "smith", NEAR),
        ("ศรีสุวรรณ", "srisuwan", ALIKE), ("smith", "waller", UNLIKE), ("แก้วมณี", "ศรีสุวรรณ", UNLIKE),
    ],
)  # fmt: skip
def test_family_names(a: str, b: str, bounds: tuple[float, float]) -> None:
    assert within(likeness.family_names(a, b), bounds), likeness.family_names(a, b)


@pytest.mark.parametrize(("a", "b"), [("王伟", "wang wei"), ("", "somchai"), ("иван", "ivan")])
def test_names_that_cannot_be_compared_tell_nothing(a: str, b: str) -> None:
    assert likeness.given_names(a, b) is None
    assert likeness.family_names(a, b) is None


def people(*pairs: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    return pairs


def test_names_in_each_others_place_agree() -> None:
    a, b = people(("robert", "smith")), people(("smith", "bob"))
    for compare in (likeness.given, likeness.family):
        assert within(compare(a, b), (0.85, 1.0))
        assert compare(a, b) == compare(b, a)


def test_the_people_that_agree_best_as_wholes_are_compared() -> None:
    """Not the given name of one with the family name of another."""
    a = people(("ann", "lee"), ("joan", "moore"))
    b = people(("ann", "grant"), ("joan", "moor"))
    assert likeness.given(a, b) == 1.0
    assert within(likeness.family(a, b), CLOSE)
    assert likeness.family(people(("ann", "lee")), people(("ann", "grant"))) == pytest.approx(0.0, abs=0.2)


def test_a_missing_part_is_missing() -> None:
    assert likeness.family(people(("ann", "")), people(("ann", "lee"))) is None
    assert likeness.given(people(("ann", "")), people(("ann", "lee"))) == 1.0


@pytest.mark.parametrize(
    ("a", "b", "bounds"),
    [
        ("bob smith", "smith robert", ALIKE), ("สมชาย ใจดี", "somchai jaidee", ALIKE),
        ("somchai", "somchai jaidee", ALIKE), ("acme trading", "acme trading ltd", NEAR),
        ("bob smith", "bob jones", NEAR),
        ("bob smith", "ann jones", UNLIKE),
    ],
)  # fmt: skip
def test_whole_names(a: str, b: str, bounds: tuple[float, float]) -> None:
    assert within(likeness.whole_names((a,), (b,)), bounds), likeness.whole_names((a,), (b,))
    assert likeness.whole_names((a,), (b,)) == likeness.whole_names((b,), (a,))


@pytest.mark.parametrize(
    ("compare", "a", "b", "expected"),
    [
        (likeness.phones, ("+66812345678", "+6621234567"), ("+66812345678",), 1.0),
        (likeness.phones, ("+66812345678",), ("+66812345679",), 0.6),
        (likeness.phones, ("+66812345678",), ("+66812354678",), 0.6),
        (likeness.phones, ("+66812345678",), ("+66998765432",), 0.0),
        (likeness.emails, ("a.b@gmail.com",), ("ab@gmail.com",), 0.95),
        (likeness.emails, ("somchai.j@gmail.com",), ("somchai.j@outlook.com",), 0.8),
        (likeness.emails, ("somch@gmail.com",), ("somch@outlook.com",), 0.6),
        (likeness.emails, ("somchai@gmail.com",), ("somchay@gmail.com",), 0.7),
        (likeness.emails, ("info@one.com",), ("info@one.com",), 0.5),
        (likeness.emails, ("info@one.com",), ("info@two.com",), 0.0),
        (likeness.emails, ("ann@gmail.com",), ("bob@gmail.com",), 0.0),
        (likeness.birth_dates, ("1991-03-02",), ("1991-03-02", "1980-01-05"), 1.0),
        (likeness.birth_dates, ("1991-03-02",), ("1991-02-03",), 0.85),
        (likeness.birth_dates, ("1991-03-02",), ("1991-03-12",), 0.7),
        (likeness.birth_dates, ("1991-03-02",), ("1981-03-02",), 0.7),
        (likeness.birth_dates, ("1991-03-02",), ("1992-02-03",), 0.4),
        (likeness.birth_dates, ("1991-03-02",), ("1991-08-25",), 0.15),
        (likeness.birth_dates, ("1991-03-02",), ("1964-08-25",), 0.0),
        (likeness.ids, (("passport", "th", "AA12345"),), (("passport", "th", "AA12345"),), 1.0),
        (likeness.ids, (("passport", "th", "AA12345"),), (("passport", "th", "AA12354"),), 0.7),
        (likeness.ids, (("passport", "th", "AA12345"),), (("passport", "th", "XY99999"),), 0.0),
        (likeness.ids, (("passport", "th", "AA12345"),), (("passport", "us", "AA12345"),), None),
        (likeness.ids, (("passport", "th", "AA12345"),), (("citizen", "global", "AA12345"),), None),
        # numbers given out one after the other: the next is another person's
        (likeness.ids, (("member", "pos", "M000012"),), (("member", "pos", "M000013"),), 0.0),
        (likeness.ids, (("citizen", "global", "a" * 64),), (("citizen", "global", "a" * 63 + "b"),), 0.0),
        (likeness.postcodes, ("10110",), ("10110",), 1.0),
        (likeness.postcodes, ("10110",), ("10101",), 0.5),
        (likeness.postcodes, ("10110",), ("50200",), 0.0),
        (likeness.places, ("nakhon-pathom",), ("nakhon-phanom",), 0.0),
        (likeness.places, ("bangkok", "วัฒนา"), ("bangkok",), 1.0),
        (likeness.gender, "male", "male", 1.0),
        (likeness.gender, "male", "female", 0.0),
    ],
)  # fmt: skip
def test_contacts_dates_ids_and_places(compare: Any, a: Any, b: Any, expected: float | None) -> None:
    assert compare(a, b) == compare(b, a) == expected


def at(text: str, **parts: str) -> Any:
    return comparable({"address": text, **parts})["addresses"]


@pytest.mark.parametrize(
    ("a", "b", "bounds"),
    [
        (at("123 Main Street, Las Vegas NV 89132"), at("123 E Main St"), ALIKE),
        (at("1515 Adela Lane", city="Las Vegas", postcode="89111"), at("1515 Adela Ln", city="Las Vegas"), ALIKE),
        (at("99 ถ.สุขุมวิท เขตวัฒนา กทม. 10110"), at("99 Sukhumvit Rd, Khet Watthana, Bangkok 10110"), ALIKE),
        (at("13 burkitt street", district="banks"), at("13 burkitts treet", district="banks"), NEAR),
        (at("99 ถ.สุขุมวิท กทม. 10110"), at("12 ถ.สุขุมวิท กทม. 10110"), NEAR),
        (at("99 ถ.สุขุมวิท กทม. 10110"), at("7 Nimman Rd, Chiang Mai 50200"), UNLIKE),
    ],
)
def test_addresses(a: Any, b: Any, bounds: tuple[float, float]) -> None:
    assert within(likeness.addresses(a, b), bounds), likeness.addresses(a, b)
    assert likeness.addresses(a, b) == likeness.addresses(b, a)


def test_addresses_without_a_part_in_common_tell_nothing() -> None:
    assert likeness.addresses(at("ตึกเอ ชั้น 3"), at("99 Main St")) is None
