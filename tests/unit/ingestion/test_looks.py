"""What values look like, and what their dates leave open."""

import pytest

from ingestion.files import looks, mapping, suggest
from ingestion.files.mapping import RowKind
from ingestion.normalise.dates import TwoDigitYears


@pytest.mark.parametrize(
    ("values", "trait"),
    [
        (["a@example.org", "b@shop.co.th", "ไม่มี", "c@d.com", "e@f.com", "g@h.com"], "email"),
        (["U0123456789abcdef0123456789abcdef"], "line_id"),
        (["1-1020-34567-84-9", "3102034567846"], None),
        (["089-455-1203", "+66 2 123 4567", "'0812345678"], "phone"),
        (["27/9/2521", "5 ม.ค. 2530", "1/2/1999"], "birth_date"),
        (["1/2/2026", "3/4/2026"], None),
        (["12", "13"], None),
        (["2530", "2531"], None),
        (["สมชาย"], None),
        ([], None),
    ],
)
def test_values_tell_what_a_column_is(values, trait):
    found = looks.as_trait("x", values)

    assert (found["name"] if found else None) == trait


def test_a_citizen_number_is_known_by_its_last_digit():
    def number(start: str) -> str:
        total = sum(int(digit) * weight for digit, weight in zip(start, range(13, 1, -1), strict=True))
        return start + str((11 - total % 11) % 10)

    people, companies = ([number(f"{start}1020345678") for start in starts] for starts in (("11", "31"), ("01", "09")))
    assert looks.as_trait("x", people) == {"to": "trait", "name": "national_id"}
    assert looks.as_trait("x", companies) == {"to": "trait", "name": "tax_id"}


def suggested(samples: dict[str, list[str]], **options) -> dict:
    definition = suggest.suggest(list(samples), samples, **options)
    mapping.parse(definition, columns=list(samples))
    return {one["from"]: one for one in definition["fields"]} | {"": definition}


def test_columns_without_a_name_are_known_by_their_values():
    found = suggested(
        {
            "column 1": ["A-1", "A-2", "A-3"],
            "column 2": ["0894551203", "0812345678", "0823456789"],
            "column 3": ["a@b.co", "c@d.co", "e@f.co"],
            "column 4": ["VIP", "VIP", ""],
        }
    )

    assert {column: one["to"] for column, one in found.items() if column} == {
        "column 1": "record_id", "column 2": "trait", "column 3": "trait",
    }  # fmt: skip


@pytest.mark.parametrize("order", [("วันที่", "เวลา"), ("เวลา", "วันที่")])
def test_a_day_and_a_time_are_one_moment(order):
    values = {"วันที่": ["22/11/2569"], "เวลา": ["14:05 น."]}
    samples = {"เลขที่ใบเสร็จ": ["R1"], **{name: values[name] for name in order}, "รหัสสมาชิก": ["M1"], "ยอดสุทธิ": ["5"]}

    found = suggested(samples)

    assert found["วันที่"] == {
        "from": "วันที่", "to": "timestamp", "steps": [{"do": "join", "column": "เวลา", "text": " "}],
    }  # fmt: skip
    assert "เวลา" not in found


def test_what_a_spreadsheet_quotes_is_trimmed():
    assert suggested({"id": ["1"], "โทรศัพท์": ["'0894551203"]})["โทรศัพท์"]["steps"] == [{"do": "trim", "text": "'"}]


def test_rows_of_consents_and_products_are_known():
    consents = suggested({
        "รหัสลูกค้า": ["1"], "วัตถุประสงค์": ["marketing"], "ช่องทาง": ["SMS"], "ความยินยอม": ["ยินยอม"], "วันที่": ["1/5/2567"],
    })  # fmt: skip
    products = suggested({"SKU": ["1"], "ชื่อสินค้า": ["เสื้อ"], "ราคา": ["5"], "Shoe size": ["42"]})

    assert consents[""]["rows"] == "consents"
    assert products[""]["rows"] == "products"
    assert products["Shoe size"] == {"from": "Shoe size", "to": "attribute", "name": "shoe_size"}
    assert suggested({"SKU": ["1"], "ราคา": ["5"], "จำนวน": ["2"], "id": ["1"], "name": ["ก"]})[""]["rows"] == "people"
    assert suggest.suggest(["SKU", "ราคา"], {}, rows=RowKind.PRODUCTS)["fields"][0]["to"] == "product"


# --- dates ----------------------------------------------------------------------------------------------------------

BUDDHIST = TwoDigitYears("buddhist")


@pytest.mark.parametrize(
    "dates",
    [
        [],
        ["2026-03-04"],
        ["27/9/2521", "3/4/2530"],  # one of them decides
        ["3/3/2530"],  # the same either way
        ["5 ม.ค. 2530"],
    ],
)
def test_nothing_is_asked_where_the_file_decides(dates):
    assert looks.order_question(dates, "dmy", BUDDHIST) is None


def test_the_order_is_asked_where_it_changes_the_day():
    question = looks.order_question(["12/12/2530", "3/4/2530"], "dmy", BUDDHIST)

    assert question is not None
    assert (question.text, question.readings) == ("3/4/2530", {"dmy": "1987-04-03", "mdy": "1987-03-04"})


def test_an_order_that_does_not_fit_is_asked_about():
    question = looks.order_question(["27/9/2521"], "mdy", BUDDHIST)

    assert question is not None
    assert question.readings == {"dmy": "1978-09-27"}


def test_the_era_is_asked_where_years_have_two_digits():
    question = looks.years_question(["27/9/2521", "27/6/47"], "dmy")

    assert question is not None
    assert (question.text, question.readings) == ("27/6/47", {"buddhist": "2004-06-27", "gregorian": "1947-06-27"})
    assert looks.years_question(["27/9/2521"], "dmy") is None


def test_years_without_a_hint_are_left_for_a_person():
    assert looks.date_style(["27/6/47", "1/2/50"]) == ("dmy", None)
    assert looks.date_style(["27/6/47", "1/2/2550"]) == ("dmy", {"era": "buddhist", "first_year": 1927})
    assert looks.date_style(["10/27/76", "3/1/1970"]) == ("mdy", {"era": "gregorian", "first_year": 1927})
