"""Keys and likenesses of any record: symmetric, between 0 and 1, the same whatever order the values came in."""

import json
import math
import random
from collections import defaultdict
from typing import Any, Final

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingestion.normalise.romanise import romanise
from profiles.matching import keys
from profiles.matching.comparable import FIELDS, comparable
from profiles.matching.learned import Readings
from profiles.matching.likeness import COMPARISONS

BUDGET: Final = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])

given_names = st.sampled_from(
    ["สมชาย", "Somchai", "ธนกร", "Thanakorn", "Tanagorn", "Bob", "Robert", "B.", "Mary Ann", "นายกิตติพงษ์", "王伟",
     "น้องพลอย", "Zoë", "Smith"]
)  # fmt: skip
family_names = st.sampled_from(
    ["ใจดี", "Jaidee", "Smith", "Smyth", "Smith-Jones", "ณ อยุธยา", "Na Ayudhya", "Bob", "S", "李"]
)
texts = st.text(max_size=12)
streets = st.sampled_from(["99/1 ถนนสุขุมวิท", "99/1 Sukhumvit Rd", "1 Main St", "ตึกเอ ชั้น 3", "Moo 4"]) | texts
attributes = st.fixed_dictionaries(
    {},
    optional={
        "first_name": st.lists(given_names | texts, max_size=3),
        "last_name": st.lists(family_names | texts, max_size=3),
        "name": st.builds("{} {}".format, given_names, family_names) | texts,
        "display_name": given_names | texts,
        "birth_date": st.dates().map(str) | st.sampled_from(["1991-03-02", "1991-02-03", "25/5/01"]),
        "address": st.lists(streets, max_size=3),
        "district": st.sampled_from(["เขตวัฒนา", "Watthana", "Salem"]) | texts,
        "province": st.sampled_from(["กทม.", "Bangkok", "NV"]) | texts,
        "postcode": st.sampled_from(["10110", "10101"]) | texts,
        "gender": st.sampled_from(["male", "female", "x"]),
    },
)
identifiers = st.lists(
    st.sampled_from(
        [("phone", "global", "+66812345678"), ("phone", "global", "+66812345679"),
         ("email", "global", "somchai@gmail.com"), ("email", "global", "somchai@hotmail.com"),
         ("email", "global", "info@one.com"),
         ("passport", "th", "AA12345"), ("passport", "th", "AA12354"), ("member", "pos", "M1"), ("user", "web", "1")]
    ),
    max_size=4,
)  # fmt: skip
records = st.builds(comparable, attributes, identifiers)


@BUDGET
@given(a=records, b=records)
def test_a_likeness_is_symmetric_and_a_share(a: dict[str, Any], b: dict[str, Any]) -> None:
    for comparison in COMPARISONS:
        x, y = a[comparison.field], b[comparison.field]
        if x is None or y is None:
            continue
        likeness = comparison.compare(x, y)
        assert likeness == comparison.compare(y, x), comparison.name
        assert likeness is None or 0.0 <= likeness <= 1.0, comparison.name


@BUDGET
@given(pairs=st.lists(st.tuples(records, records), max_size=3))
def test_pairs_are_read_as_dedupe_measures_them(pairs: list[tuple[dict[str, Any], dict[str, Any]]]) -> None:
    readings = Readings()
    np.testing.assert_array_equal(readings(pairs), readings.read(readings.model.distances(pairs)))


@BUDGET
@given(record=records)
def test_a_record_is_like_itself(record: dict[str, Any]) -> None:
    for comparison in COMPARISONS:
        value = record[comparison.field]
        likeness = None if value is None else comparison.compare(value, value)
        of_a_function = comparison.name == "emails" and value == ("info@one.com",)
        assert likeness is None or likeness >= (0.5 if of_a_function else 0.9), comparison.name


@BUDGET
@given(attributes=attributes, stated=identifiers, order=st.randoms(use_true_random=False))
def test_values_are_sets(attributes: dict[str, Any], stated: list[Any], order: random.Random) -> None:
    record = comparable(attributes, stated)
    order.shuffle(stated)
    turned = {trait: value[::-1] if trait == "address" else value for trait, value in attributes.items()}
    if not any(attributes.get(part) for part in ("district", "province", "postcode")):  # they belong to the first line
        attributes = turned
    again = comparable(attributes, [*stated, *stated])
    assert again == record
    assert keys.fixed_keys(again) == keys.fixed_keys(record)


@BUDGET
@given(record=records)
def test_a_record_is_hashable_and_its_keys_name_their_rules(record: dict[str, Any]) -> None:
    assert tuple(record) == FIELDS
    hash(tuple(record.values()))
    json.dumps(record)
    for key in keys.fixed_keys(record):
        rule, colon, value = key.partition(":")
        assert rule in keys.FIXED
        assert colon
        assert value


@BUDGET
@given(a=records, b=records)
def test_more_known_of_a_record_never_hides_it(a: dict[str, Any], b: dict[str, Any]) -> None:
    """A key comes of what it is made of: knowing a phone as well takes no key of names away."""
    phones = a["phones"] or b["phones"]
    assert keys.fixed_keys(a) <= keys.fixed_keys(a | {"phones": phones})


# --- how well they find people ---------------------------------------------------------------------------------------

# Families and given names as people spell them in both scripts; none was used to make the rules.
_GIVEN: Final = """
สมชาย Somchai|ณัฐพล Nattapon|สุริยะ Suriya|อารยา Araya|จิรายุ Jirayu|วันเพ็ญ Wanpen|สุรชัย Surachai|ศิริพร Siriporn
กิตติศักดิ์ Kittisak|วิภาวดี Wipawadee|พรทิพย์ Pornthip|ปาริชาติ Parichat|สุภาพร Supaporn|ณัฐวุฒิ Nattawut|ธนพล Thanapol
พงศกร Pongsakorn|ศุภชัย Supachai|อรอนงค์ Onanong|ชัยวัฒน์ Chaiwat|รัชนี Ratchanee|สุทธิดา Suthida|มานพ Manop|สมศรี Somsri
ประเสริฐ Prasert|วีระ Weera|นภา Napa|กาญจนา Kanchana|มาลี Malee|ชูชาติ Choochat|บุญมี Boonmee|ดวงใจ Duangjai|อำนวย Amnuay
"""
_FAMILY: Final = """
ใจดี Jaidee|แก้วมณี Kaewmanee|ศรีสุวรรณ Srisuwan|วงศ์ไทย Wongthai|บุญเรือง Boonruang|ทองดี Thongdee|สุขสวัสดิ์ Suksawat
พรหมมา Promma|จันทร์แก้ว Chankaew|รักไทย Rakthai|มีสุข Meesuk|สายทอง Saithong|คำแก้ว Khamkaew|ชัยมงคล Chaimongkol
อินทร์แก้ว Inkaew|ปานทอง Panthong|นาคสุข Naksuk|สมบูรณ์ Somboon|เพชรดี Phetdee|บัวทอง Buathong
"""


def _written(table: str) -> list[tuple[str, str]]:
    return [(pair.split()[0], pair.split()[1]) for pair in table.replace("\n", "|").split("|") if pair]


def test_people_are_found_across_scripts_among_ten() -> None:
    """People whose names the two scripts tell, without any other field: nearly all find their other half."""
    chance = random.Random(7)
    whole = [(given, family) for given in _written(_GIVEN) for family in _written(_FAMILY)]
    people = chance.sample(whole, 500)
    found = {}
    for person, (given_name, family_name) in enumerate(people):
        for script in (0, 1):
            found[person, script] = keys.fixed_keys(
                comparable({"first_name": given_name[script], "last_name": family_name[script]})
            )
    blocks = defaultdict(set)
    for record, of_record in found.items():
        for key in of_record:
            blocks[key].add(record)
    hits = 0
    for (person, script), of_record in found.items():
        weights: dict[tuple[int, int], float] = defaultdict(float)
        for key in of_record:
            block = blocks[key]
            if len(block) <= keys.MOST_IN_BLOCK:
                for other in block - {(person, script)}:
                    weights[other] += keys.weight(key) * (1 + math.log(keys.MOST_IN_BLOCK / len(block)))
        best = sorted(weights, key=lambda other: (-weights[other], other))[:10]
        hits += (person, 1 - script) in best
    assert hits / len(found) >= 0.97


def test_a_reading_by_rule_meets_its_thai_name() -> None:
    """What a system makes of Thai names on its own is found as well as what people write."""
    for thai, _ in (*_written(_GIVEN), *_written(_FAMILY)):
        in_thai, in_latin = (comparable({"name": f"{name} {name}"}) for name in (thai, romanise(thai).title()))
        assert keys.fixed_keys(in_thai) & keys.fixed_keys(in_latin), thai
