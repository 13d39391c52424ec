"""Steps of a mapping: what they make of a column's text."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from ingestion.files import mapping, steps
from ingestion.files.codes import MappingCode, RowProblem
from ingestion.files.ordinals import Ordinals
from ingestion.files.rows import RowError, RowReader
from ingestion.normalise.dates import TwoDigitYears


def run(stated: list[dict[str, Any]], text: str, row: dict[str, str] | None = None, **dates: Any) -> str:
    parsed = steps.parse(stated)
    assert parsed is not None
    ways = steps.Dates(dates.get("order", "dmy"), dates.get("two_digit_years"))
    return steps.chain(parsed, dates=ways, text_of=lambda column: lambda cells: cells[column])(text, row or {})


def reader(*fields: dict, columns: list[str] | None, **changes: Any) -> RowReader:
    return RowReader(
        mapping.parse({"version": 2, "rows": "people", "fields": list(fields), **changes}),
        columns=columns,
        zone=ZoneInfo("Asia/Bangkok"),
        ordinal=Ordinals(),
        seal=lambda kind, number: {"hash": kind, "last_four": number[-4:]},
    )


ID = {"from": "id", "to": "record_id"}


@pytest.mark.parametrize(
    ("step", "text", "expected"),
    [
        ({"do": "trim"}, " \u00a0x y ", "x y"),
        ({"do": "trim", "text": "'#"}, "'#0891", "0891"),
        ({"do": "prefix", "text": "POS-"}, "7", "POS-7"),
        ({"do": "prefix", "text": "POS-"}, "POS-7", "POS-7"),
        ({"do": "prefix", "text": "POS-"}, "", ""),
        ({"do": "map", "values": {"ช": "male", "M": "male"}}, "m", "male"),
        ({"do": "map", "values": {"ช": "male"}}, "ญ", "ญ"),
        ({"do": "map", "values": {"ช": "male"}, "other": "empty"}, "ญ", ""),
        ({"do": "map", "values": {"ช": "male"}, "other": "problem"}, "", ""),
        ({"do": "map", "values": {"-": ""}}, "-", ""),
        ({"do": "number"}, "฿๑,๒๓๔.๕๐", "1234.50"),
        ({"do": "number"}, "1 250 บาท", "1250"),
        ({"do": "number", "decimal_comma": True}, "1.234,50", "1234.50"),
        ({"do": "number", "unsigned": True}, "-20.00", "20.00"),
        ({"do": "number"}, "", ""),
        ({"do": "date"}, "5 ม.ค. 2530", "1987-01-05"),
        ({"do": "date", "order": "mdy"}, "1/27/1976", "1976-01-27"),
        ({"do": "date"}, "soon", "soon"),
    ],
)
def test_a_step_at_a_time(step, text, expected):
    assert run([step], text) == expected


def test_steps_follow_each_other():
    stated = [
        {"do": "trim", "text": "'"},
        {"do": "join", "column": "time", "text": " "},
        {"do": "map", "values": {"22/11/69 10:00": "then"}},
    ]

    assert run(stated, "'22/11/69", {"time": "10:00"}) == "then"
    assert run(stated[:2], "", {"time": "10:00"}) == "10:00"
    assert run(stated[:2], "22/11/69", {"time": ""}) == "22/11/69"


def test_two_digit_years_are_those_of_the_file():
    assert run([{"do": "date"}], "1/2/67") == "1/2/67"
    assert run([{"do": "date"}], "1/2/67", two_digit_years=TwoDigitYears("buddhist")) == "2024-02-01"


@pytest.mark.parametrize(
    ("step", "text", "problem"),
    [
        ({"do": "map", "values": {"a": "b"}, "other": "problem"}, "c", RowProblem.VALUE),
        ({"do": "number"}, "many", RowProblem.NUMBER),
        ({"do": "number"}, "1e99", RowProblem.NUMBER),
        ({"do": "number"}, "NaN", RowProblem.NUMBER),
    ],
)
def test_what_a_step_cannot_take(step, text, problem):
    with pytest.raises(steps.StepProblem) as caught:
        run([step], text)
    assert caught.value.problem == problem


@pytest.mark.parametrize(
    "stated",
    [
        "trim",
        [{"do": "fly"}],
        [{"do": "join"}],
        [{"do": "join", "column": "a[].b"}],
        [{"do": "map"}],
        [{"do": "map", "values": {"a": 1}}],
        [{"do": "map", "values": {"a": "b"}, "other": "?"}],
        [{"do": "prefix"}],
        [{"do": "trim", "column": "x"}],
        [{"do": "date", "order": "dym"}],
        [{"do": "split_name"}, {"do": "trim"}],
        [{"do": "trim"}] * 7,
    ],
)
def test_what_is_no_step_is_refused(stated):
    assert steps.parse(stated) is None
    with pytest.raises(mapping.InvalidMapping) as caught:
        mapping.parse(
            {"version": 2, "rows": "people", "fields": [ID, {"from": "a", "to": "trait", "name": "x", "steps": stated}]}
        )
    assert [problem.code for problem in caught.value.problems] == [MappingCode.STEPS]


def test_only_a_full_name_is_split():
    for target in ({"to": "trait", "name": "city"}, {"to": "record_id"}):
        with pytest.raises(mapping.InvalidMapping):
            mapping.parse(
                {"version": 2, "rows": "people", "fields": [{"from": "a", **target, "steps": [{"do": "split_name"}]}]}
            )


@pytest.mark.parametrize(
    ("text", "traits"),
    [
        ("นายสมชาย ใจดี", {"title": "นาย", "first_name": "สมชาย", "last_name": "ใจดี"}),
        ("คุณสุดา ณ อยุธยา", {"title": "คุณ", "first_name": "สุดา", "last_name": "ณ อยุธยา"}),
        (
            "Dr. John Michael van der Berg",
            {"title": "Dr", "first_name": "John", "middle_name": "Michael", "last_name": "van der Berg"},
        ),
        ("สุดา", {"first_name": "สุดา"}),
        ("ส***ย", {"name": "ส***ย"}),
        ("บริษัท ทดสอบ จำกัด", {"name": "บริษัท ทดสอบ จำกัด"}),
    ],
)
def test_a_full_name_becomes_its_parts(text, traits):
    name = {"from": "name", "to": "trait", "name": "name", "steps": [{"do": "split_name"}]}

    found = reader(ID, name, columns=["id", "name"]).message(["1", text], 1)["traits"]
    assert {part: value.rstrip(".") for part, value in found.items()} == traits


def test_a_number_of_a_customer_is_a_number():
    points = {"from": "points", "to": "trait", "name": "points", "steps": [{"do": "number"}]}

    def traits(text: str) -> dict:
        return reader(ID, points, columns=["id", "points"]).message(["1", text], 1)["traits"]

    assert (traits("1,250"), traits("๘๐.๕"), traits("")) == ({"points": 1250}, {"points": 80.5}, {})


def test_steps_work_under_lists_of_json_lines():
    field = {"from": "F[].SEX", "to": "trait", "name": "gender", "steps": [{"do": "map", "values": {"1": "male"}}]}
    cards = {"from": "cards[]", "to": "identifier", "name": "card", "steps": [{"do": "prefix", "text": "C-"}]}

    message = reader(ID, field, cards, columns=None).message({"id": 1, "F": [{"SEX": 1}], "cards": ["7", 8, {}]}, 1)

    assert message["traits"] == {"gender": "male"}
    assert [card["value"] for card in message["cdp"]["identifiers"]] == ["C-7", "C-8"]


def test_a_join_reaches_into_a_json_line():
    field = {
        "from": "a.first",
        "to": "trait",
        "name": "name",
        "steps": [{"do": "join", "column": "a.last", "text": " "}],
    }

    read = reader(ID, field, columns=None)
    assert read.message({"id": "1", "a": {"first": "Ann", "last": "Lee"}}, 1)["traits"] == {"name": "Ann Lee"}
    assert read.message({"id": "1", "a": {}}, 1)["traits"] == {}


def test_the_culprit_of_a_step_is_its_column():
    field = {"from": "n", "to": "trait", "name": "n", "steps": [{"do": "number"}]}

    with pytest.raises(RowError) as caught:
        reader(ID, field, columns=["id", "n"]).message(["1", "many"], 1)
    assert (caught.value.problem, caught.value.column) == (RowProblem.NUMBER, "n")


def test_what_a_step_leaves_as_it_came_is_a_doubt():
    fields = (
        {"from": "sex", "to": "trait", "name": "gender", "steps": [{"do": "map", "values": {"ช": "male"}}]},
        {"from": "day", "to": "trait", "name": "joined", "steps": [{"do": "trim", "text": "'"}, {"do": "date"}]},
    )
    read = reader(ID, *fields, columns=["id", "sex", "day"])

    assert read.doubts(["1", "ช", "'1/2/2567"]) == {}
    assert read.doubts(["1", "ญ", "'1/2/67"]) == {"gender": "value", "joined": "ambiguous_year"}


def test_all_columns_that_are_read_must_be_there():
    fields = [
        ID,
        {"from": "day", "to": "timestamp", "steps": [{"do": "join", "column": "time"}]},
        {"from": "ok", "to": "consent", "purpose": "m", "channel": "sms", "when": {"from": "since"}},
    ]
    definition = {"version": 2, "rows": "people", "fields": fields}

    assert mapping.parse(definition).columns == ("id", "day", "time", "ok", "since")
    with pytest.raises(mapping.InvalidMapping) as caught:
        mapping.parse(definition, columns=["id", "day", "ok"])
    assert [tuple(problem) for problem in caught.value.problems] == [
        (MappingCode.COLUMN, 1, "time"),
        (MappingCode.COLUMN, 2, "since"),
    ]


# --- whose it is ----------------------------------------------------------------------------------------------------

ORDER = (
    {"from": "who", "to": "record_id"},
    {"from": "bill", "to": "order", "name": "id"},
    {"from": "sku", "to": "line", "name": "sku"},
)


def test_an_order_of_somebody_unknown_stands_for_itself():
    read = reader(*ORDER, columns=["who", "bill", "sku"], rows="orders", without_id="anonymous")

    known = read.message(["somsak", "B1", "S"], 1)
    assert (known["cdp"]["record"], "anonymousId" in known) == ({"external_id": "somsak"}, False)
    for hidden in ("", "s*****y", "guest"):
        message = read.message([hidden, "B2", "S"], 2)
        assert (message["anonymousId"], "record" in message["cdp"]) == ("order:B2", False)


def test_an_event_of_somebody_unknown_is_one_of_its_own():
    fields = ({"value": "Call Ended", "to": "event"}, {"from": "note", "to": "property", "name": "note"})
    read = reader(*fields, columns=["note"], rows="events", without_id="anonymous")

    first, second = read.message(["x"], 1), read.message(["x"], 2)
    assert first["anonymousId"].startswith("row:")
    assert first["anonymousId"] != second["anonymousId"]


def test_rows_of_customers_need_a_customer():
    with pytest.raises(mapping.InvalidMapping) as caught:
        mapping.parse({"version": 2, "rows": "people", "without_id": "anonymous", "fields": [ID]})
    assert MappingCode.OWNER in [problem.code for problem in caught.value.problems]


# --- products -------------------------------------------------------------------------------------------------------


def test_a_product_has_no_person():
    fields = [
        {"from": name, "to": "product", "name": name}
        for name in ("sku", "namespace", "name", "name_th", "category", "price", "currency", "url", "synonyms")
    ]
    color = {"from": "color", "to": "attribute", "name": "color"}
    read = reader(*fields, color, columns=[*(one["from"] for one in fields), "color"], rows="products")
    row = ["TS-1", "shop", "T-shirt", "เสื้อยืด", "Shirts", "฿1,290", "THB", "https://a/1", "tee; เสื้อ", "แดง"]

    message = read.message(row, 7)

    assert message.pop("messageId").startswith("row:products:")
    assert message == {
        "type": "product",
        "cdp": {
            "product": {
                "sku": "TS-1",
                "namespace": "shop",
                "name": "T-shirt",
                "name_th": "เสื้อยืด",
                "category": "Shirts",
                "price": "1290",
                "currency": "THB",
                "url": "https://a/1",
                "synonyms": ["tee", "เสื้อ"],
                "attributes": {"color": "แดง"},
            },
            "line": 7,
        },
    }
    assert read.message(row, 9)["messageId"] == read.message(row, 7)["messageId"]
    with pytest.raises(RowError) as caught:
        read.message(["", *row[1:]], 8)
    assert (caught.value.problem, caught.value.column) == (RowProblem.NO_ID, "sku")


def test_a_product_needs_its_code():
    with pytest.raises(mapping.InvalidMapping) as caught:
        mapping.parse({"version": 2, "rows": "products", "fields": [{"from": "a", "to": "product", "name": "name"}]})
    assert [problem.code for problem in caught.value.problems] == [MappingCode.NO_PRODUCT]
