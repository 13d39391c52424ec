"""Whom a record is compared with: what the fixed rules bring together and what they do not."""

from typing import Any

import pytest

from profiles.matching.comparable import comparable
from profiles.matching.keys import FIXED, KEY_WEIGHTS, MOST_OF_RULE, RULES, fixed_keys, keys_of, weight


def record(name: str = "", born: str = "", phone: str = "", email: str = "", **traits: Any) -> dict[str, Any]:
    stated = [("phone", "global", phone), ("email", "global", email)]
    identifiers = [identifier for identifier in stated if identifier[2]]
    return comparable({"name": name, "birth_date": born, **traits}, identifiers)


@pytest.mark.parametrize(
    ("a", "b", "rules"),
    [
        (record(phone="+66812345678"), record("สมชาย ใจดี", phone="+66812345678"), {"phone"}),
        (record(email="somchai.j@gmail.com"), record(email="somchaij@hotmail.com"), {"mailbox"}),
        (record(email="info@gmail.com"), record(email="info@hotmail.com"), set()),
        (record("ธนกร ศรีสุวรรณ"), record("Tanagorn Srisuwan"), {"name", "given+end", "family+end"}),
        (record("Bob Waller"), record("Robert Waller"), {"name", "given+end", "family+end"}),
        (record("Ratana Suksawat"), record("Suksawat Ratana"), {"name"}),
        (record("Preecha Suksiriphan"), record("Preecha Khamsiriphan"), {"given+end"}),  # a slip in the family name
        (record("Wirachai Butnrat"), record("Virachai Butrat", born="1990-02-04"), {"given+end"}),
        (record("Ann Lee", "1990-02-04"), record("Ann Grant", "1990-04-02"), {"given+born", "born+initial"}),
        (record("Ann Lee", "1990-02-04"), record("Zoe Lee", "1990-02-04"), {"family+born", "born+initial"}),
        (record("Ann Lee", postcode="10110"), record("Ann Grant", postcode="10110"), {"given+postcode"}),
        (record("Ann Lee", address="9 Main St"), record("Bo Chan", address="9 Main Street"), {"street"}),
        (record("Ann Lee", address="9 Main St"), record("Bo Chan", address="8 Main Street"), set()),
        # what only tells a given name, or a birth date of somebody, brings nobody together
        (record("สมชาย"), record("สมชาย ใจดี"), set()),
        (record("Somchai", "1990-02-04"), record("Wanida", "1990-02-04"), set()),
        (record(), record(), set()),
    ],
)
def test_records_meet_by_the_rules_that_apply(a: dict[str, Any], b: dict[str, Any], rules: set[str]) -> None:
    shared = {key.partition(":")[0] for key in fixed_keys(a) & fixed_keys(b)}
    assert shared >= rules
    if not rules:
        assert shared == set()


def test_a_key_says_by_which_rule_it_was_made() -> None:
    made = fixed_keys(record("สมชาย ใจดี", "1990-02-04", "+66812345678", "somchai@gmail.com", postcode="10110"))
    assert {key.partition(":")[0] for key in made} <= set(FIXED)
    assert weight("phone:812345678") == 1.0
    assert all(weight(f"{rule}:x") == worth for rule, worth in KEY_WEIGHTS.items())


def test_every_rule_has_one_name_and_fixed_rules_exist() -> None:
    assert set(FIXED) <= set(RULES)
    assert set(KEY_WEIGHTS) <= set(RULES)
    assert not any(":" in rule for rule in RULES)


def test_a_list_of_people_makes_few_keys() -> None:
    names, dates = [f"Na{c}ri{c}" for c in "bcdfghklmnpst"], [f"19{year}-01-05" for year in range(60, 80)]
    many = comparable({"first_name": names, "birth_date": dates})
    assert all(len(keys_of(rule, many)) <= MOST_OF_RULE for rule in RULES)
    assert len(fixed_keys(many)) <= MOST_OF_RULE * len(FIXED)


def test_which_of_too_many_keys_are_left_follows_from_the_record_alone() -> None:
    """Not from the order of a set, which differs from process to process."""
    record = comparable({"birth_date": ["1960-01-05", "1961-01-05"]})
    keys = keys_of("born+initial", {**record, "names": ("am bam cam dam", "kam nam mam wam")})
    first, second = ({f"born+initial:{year}0105|{initial}" for initial in "apstknmw"} for year in (1960, 1961))
    assert keys > first
    assert keys - first == {key for key in second if key[-1] in "apst"}
