"""Definitions of mappings: what is accepted, and everything that is wrong at once."""

import pytest

from ingestion.files import mapping, presets
from ingestion.files.codes import MappingCode
from ingestion.files.problems import MAPPING_TEXTS
from ingestion.normalise.dates import TwoDigitYears


def definition(*fields: dict, **changes) -> dict:
    return {"version": 1, "rows": "people", "fields": list(fields), **changes}


ID = {"from": "id", "to": "record_id"}
PHONE = {"from": "tel", "to": "trait", "name": "phone"}
ORDER = {"from": "bill", "to": "order", "name": "id"}
SKU = {"from": "sku", "to": "line", "name": "sku"}


def problems(value, **options) -> list[tuple]:
    with pytest.raises(mapping.InvalidMapping) as caught:
        mapping.parse(value, **options)
    return [tuple(problem) for problem in caught.value.problems]


def test_a_definition_is_read():
    parsed = mapping.parse(
        definition(
            ID,
            PHONE,
            {"from": "ok", "to": "consent", "purpose": "marketing", "channel": "email", "values": {"รับ": "granted"}},
            date_order="mdy",
            two_digit_years={"era": "buddhist"},
            empty="cleared",
        )
    )

    assert parsed.columns == ("id", "tel", "ok")
    assert (parsed.date_order, parsed.two_digit_years, parsed.empty_clears) == ("mdy", TwoDigitYears("buddhist"), True)
    assert parsed.rules[2].asked.values == {"รับ": "granted"}


def test_without_values_the_usual_words_count():
    parsed = mapping.parse(definition({"from": "ok", "to": "consent", "purpose": "m", "channel": "sms"}))

    assert parsed.rules[0].asked.values["y"] == "granted"
    assert parsed.rules[0].asked.values["ไม่ยินยอม"] == "refused"


def test_all_problems_come_at_once():
    found = problems(
        definition(
            {"from": "a", "to": "trait", "name": "First Name"},
            {"from": "b", "to": "nowhere"},
            {"to": "trait", "name": "phone"},
            {"from": "c", "value": "d", "to": "trait", "name": "phone"},
            {"from": "d", "to": "line", "name": "sku"},
            {"from": "e", "to": "consent", "purpose": "", "channel": "email"},
            {"from": "f", "to": "consent", "purpose": "m", "channel": "email", "values": {"Y": "perhaps"}},
            "nonsense",
            rows="things",
            date_order="dym",
            empty="?",
        )
    )

    assert found == [
        (MappingCode.ROWS, None, ""),
        (MappingCode.DATES, None, ""),
        (MappingCode.EMPTY, None, ""),
        (MappingCode.NAME, 0, "First Name"),
        (MappingCode.TARGET, 1, "nowhere"),
        (MappingCode.SOURCE, 2, ""),
        (MappingCode.SOURCE, 3, ""),
        (MappingCode.NOT_HERE, 4, "line"),
        (MappingCode.PURPOSE, 5, ""),
        (MappingCode.VALUES, 6, ""),
        (MappingCode.FIELD, 7, ""),
    ]


@pytest.mark.parametrize("value", [None, [], {}, {"version": 2}, {"version": 1, "rows": "people", "fields": []}])
def test_what_is_no_definition_is_refused(value):
    assert problems(value)


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (definition(ID), MappingCode.NOTHING),
        (definition(ID, PHONE, rows="events"), MappingCode.NO_EVENT),
        (definition(PHONE, {"value": "Call Ended", "to": "event"}, rows="events"), MappingCode.NO_OWNER),
        (definition(ID, SKU, rows="orders"), MappingCode.NO_ORDER),
        (definition(ID, ORDER, rows="orders"), MappingCode.NO_LINE),
        (definition(ID, ID, PHONE), MappingCode.TWICE),
        (definition(ID, *[{"from": name, "to": "trait", "name": "gender"} for name in "ab"]), MappingCode.TWICE),
    ],
)
def test_what_only_shows_as_a_whole(value, code):
    assert [problem[0] for problem in problems(value)] == [code]


def test_several_columns_may_hold_phones():
    assert mapping.parse(definition(ID, PHONE, {**PHONE, "from": "mobile"}))


def test_columns_that_the_file_lacks_are_named():
    assert problems(definition(ID, PHONE), columns=["id"]) == [(MappingCode.COLUMN, 1, "tel")]


def test_every_problem_has_its_words():
    assert set(MAPPING_TEXTS) == set(MappingCode)


@pytest.mark.parametrize("name", sorted(presets.load()))
def test_presets_are_good_definitions(name):
    preset = presets.load()[name]

    assert preset["title"]
    assert preset["title_th"]
    assert mapping.parse(presets.definition(name))
