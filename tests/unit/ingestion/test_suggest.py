"""What columns are taken for, in Thai and English."""

from ingestion.files import mapping, suggest
from ingestion.files.mapping import RowKind


def suggested(samples: dict[str, list[str]], **options) -> dict[str, str]:
    definition = suggest.suggest(list(samples), samples, **options)
    return {
        one["from"]: ":".join(filter(None, [one["to"], one.get("name"), one.get("channel")]))
        for one in definition["fields"]
    } | {"rows": definition["rows"]}


def test_a_thai_list_of_members():
    found = suggested({"รหัส": ["P1"], "ชื่อ-สกุล": ["ก ข"], "เบอร์โทร": ["081"], "เลขบัตรประชาชน": ["1"], "สี": []})

    assert found == {
        "rows": "people", "รหัส": "record_id", "ชื่อ-สกุล": "trait:name", "เบอร์โทร": "trait:phone",
        "เลขบัตรประชาชน": "trait:national_id",
    }  # fmt: skip


def test_yes_and_no_about_marketing_is_consent():
    found = suggested({"CustomerID": ["1"], "MarketingSMS": ["Y", "N"], "รับข่าวสารทางอีเมล": ["1"], "Marketing": ["TV"]})

    assert found["MarketingSMS"] == "consent:sms"
    assert found["รับข่าวสารทางอีเมล"] == "consent:email"
    assert "Marketing" not in found


def test_order_lines():
    found = suggested(
        {
            "household_id": ["1"],
            "basket_id": ["2"],
            "product_id": ["3"],
            "จำนวน": ["1"],
            "date": ["1/2/2026"],
            "week": ["5"],
        }
    )

    assert found == {
        "rows": "orders", "household_id": "record_id", "basket_id": "order:id", "product_id": "line:sku",
        "จำนวน": "line:quantity", "date": "timestamp", "week": "property:week",
    }  # fmt: skip


def test_what_a_row_is_may_be_said():
    samples = {"ticket": ["T1"], "phone": ["081"], "note": ["late"]}

    assert suggested(samples)["note"] == "trait:note"
    assert suggested(samples, rows=RowKind.EVENTS)["note"] == "property:note"


def test_one_record_id_only():
    found = suggested({"id": ["1"], "customer_id": ["2"], "phone": ["081"], "mobile": ["082"]})

    assert [column for column, target in found.items() if target == "record_id"] == ["id"]
    assert (found["phone"], found["mobile"]) == ("trait:phone", "trait:phone")


def test_dates_show_their_order_and_era():
    american = suggest.suggest(["dob"], {"dob": ["10/27/76", "3/1/1970"]})
    thai = suggest.suggest(["วันเกิด"], {"วันเกิด": ["27/6/47", "15/1/2506"]})

    assert (american["date_order"], american["two_digit_years"]["era"]) == ("mdy", "gregorian")
    assert (thai["date_order"], thai["two_digit_years"]["era"]) == ("dmy", "buddhist")


def test_a_good_file_needs_no_more_than_the_suggestion():
    samples = {"userId": ["u1"], "anonymousId": ["a"], "traits.firstName": ["Ann"], "traits.papers[].passport": ["AA"]}

    assert mapping.parse(suggest.suggest(list(samples), samples), columns=list(samples))
