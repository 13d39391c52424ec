"""From rows to messages."""

from zoneinfo import ZoneInfo

import pytest

from ingestion.files import mapping
from ingestion.files.codes import RowProblem
from ingestion.files.ordinals import Ordinals
from ingestion.files.rows import RowError, RowReader


def reader(*fields: dict, columns=None, **changes) -> RowReader:
    parsed = mapping.parse({"version": 1, "rows": "people", "fields": list(fields), **changes})
    names = columns if columns is not None else [one["from"] for one in fields if "from" in one]
    return RowReader(
        parsed,
        columns=names or None,
        zone=ZoneInfo("Asia/Bangkok"),
        ordinal=Ordinals(),
        seal=lambda kind, number: {"hash": f"{kind}!", "last_four": number[-4:]},
    )


def json_reader(*fields: dict, **changes) -> RowReader:
    return reader(*fields, columns=(), **changes)


def trait(column: str, name: str) -> dict:
    return {"from": column, "to": "trait", "name": name}


ID = {"from": "id", "to": "record_id"}


def test_a_customer():
    message = reader(
        ID,
        trait("tel", "phone"),
        trait("tel 2", "phone"),
        trait("born", "birth_date"),
        trait("city", "city"),
        {"from": "card", "to": "identifier", "name": "member", "namespace": "loyalty"},
        {"from": "news", "to": "consent", "purpose": "marketing", "channel": "email"},
        {"from": "sms", "to": "consent", "purpose": "marketing", "channel": "sms"},
    ).message(["P1", " 081-234-5678", "02-123-4567", "27/9/2521", "", "M๐๑", "Y", ""], 2)

    assert message.pop("messageId").startswith("row:people:")
    assert message == {
        "type": "identify",
        "traits": {"phone": ["081-234-5678", "02-123-4567"], "birth_date": "1978-09-27"},
        "cdp": {
            "identifiers": [{"kind": "member", "value": "M01", "raw": "M๐๑", "namespace": "loyalty"}],
            "consents": [
                {
                    "purpose": "marketing",
                    "channel": "email",
                    "state": "granted",
                    "cell": True,
                    "evidence": {"column": "news"},
                }
            ],
            "record": {"external_id": "P1"},
            "line": 2,
        },
    }


def test_an_empty_cell_leaves_the_trait_or_clears_it():
    fields = (ID, trait("city", "city"))

    assert reader(*fields).message(["1", ""], 1)["traits"] == {}
    assert reader(*fields, empty="cleared").message(["1", ""], 1)["traits"] == {"city": None}
    assert json_reader(*fields).message({"id": "1", "city": None}, 1)["traits"] == {}
    assert json_reader(*fields, empty="cleared").message({"id": "1", "city": None}, 1)["traits"] == {"city": None}
    assert json_reader(*fields, empty="cleared").message({"id": "1"}, 1)["traits"] == {}


def test_two_digit_years_are_read_as_the_mapping_says():
    fields = (ID, trait("born", "birth_date"))

    assert reader(*fields).message(["1", "27/6/47"], 1)["traits"] == {"birth_date": "27/6/47"}
    assert reader(*fields, two_digit_years={"era": "buddhist"}).message(["1", "27/6/47"], 1)["traits"] == {
        "birth_date": "2004-06-27"
    }


def test_parts_of_one_element_belong_together():
    features = [
        {"NAME_FIRST": "Robert", "NAME_LAST": "Smith"},
        {"NAME_LAST": "Jones"},
        {"NAME_FULL": "Bob Smith"},
        {"PHONE": "702-919-1300"},
        {"PHONE": "702-919-1301", "LINE": "1 Adela Lane", "CITY": "Las Vegas"},
        {"LINE": "2 Main"},
        "nonsense",
    ]
    message = json_reader(
        {"from": "ID", "to": "record_id"},
        trait("F[].NAME_FIRST", "first_name"),
        trait("F[].NAME_LAST", "last_name"),
        trait("F[].NAME_FULL", "name"),
        trait("F[].PHONE", "phone"),
        trait("F[].LINE", "address"),
        trait("F[].CITY", "city"),
    ).message({"ID": 1001, "F": features}, 1)

    assert message["cdp"]["record"] == {"external_id": "1001"}
    assert message["traits"] == {
        "name": ["Robert Smith", "Jones", "Bob Smith"],
        "phone": ["702-919-1300", "702-919-1301"],
        "address": [{"address": "1 Adela Lane", "city": "Las Vegas"}, "2 Main"],
    }


def test_a_single_name_stays_in_its_parts():
    message = json_reader(ID, trait("F[].A", "first_name"), trait("F[].B", "last_name")).message(
        {"id": "1", "F": [{"A": "Robert", "B": "Smith"}]}, 1
    )

    assert message["traits"] == {"first_name": "Robert", "last_name": "Smith"}


def test_numbers_of_documents_are_sealed():
    message = json_reader({"from": "pp[]", "to": "identifier", "name": "passport"}).message({"pp": ["AA1234567"]}, 1)

    assert message["cdp"]["identifiers"] == [{"kind": "passport", "value": "passport!", "raw": "4567"}]


ORDER_FIELDS = (
    {"from": "who", "to": "record_id"},
    {"from": "when", "to": "timestamp"},
    {"from": "bill", "to": "order", "name": "id"},
    {"from": "sku", "to": "line", "name": "sku"},
    {"from": "qty", "to": "line", "name": "quantity"},
    {"from": "paid", "to": "line", "name": "total"},
    {"from": "shop", "to": "property", "name": "shop", "type": "number"},
    {"value": "THB", "to": "order", "name": "currency"},
)


def test_an_order_line():
    message = reader(*ORDER_FIELDS, rows="orders").message(
        ["H1", "12/1/2569 10:30", "B7", "S1", "2", "฿1,200.50", "12"], 5
    )

    assert (message["type"], message["event"]) == ("track", "Order Completed")
    assert message["timestamp"] == "2026-01-12T03:30:00+00:00"
    assert message["properties"] == {
        "shop": 12,
        "order_id": "B7",
        "currency": "THB",
        "products": [{"sku": "S1", "quantity": "2", "total": "1200.50"}],
    }


def test_the_same_product_twice_in_an_order_is_two_lines_and_the_same_again_next_time():
    def import_once() -> list:
        read = reader(*ORDER_FIELDS, rows="orders")
        rows = [["H1", "", "B7", "S1", "1", "5", ""]] * 2 + [["H1", "", "B8", "S1", "1", "5", ""]]
        return [read.message(row, 1) for row in rows]

    first, second, other = import_once()
    assert "line_id" not in first["properties"]["products"][0]
    assert second["properties"]["products"][0]["line_id"] == "S1#1"
    assert "line_id" not in other["properties"]["products"][0]
    assert len({first["messageId"], second["messageId"], other["messageId"]}) == 3
    assert [message["messageId"] for message in import_once()] == [
        first["messageId"], second["messageId"], other["messageId"],
    ]  # fmt: skip


EVENT_FIELDS = (ID, {"value": "Call Ended", "to": "event"}, {"from": "note", "to": "property", "name": "note"})


def test_equal_events_are_two_unless_the_row_has_an_id():
    without = reader(*EVENT_FIELDS, rows="events")
    numbered = reader(*EVENT_FIELDS, {"from": "id", "to": "row_id"}, rows="events", columns=["id", "note"])

    assert without.message(["1", "x"], 1)["messageId"] != without.message(["1", "x"], 2)["messageId"]
    assert numbered.message(["1", "x"], 1)["messageId"] == numbered.message(["1", "x"], 2)["messageId"]


def test_a_row_without_an_owner_is_its_own_record():
    read = reader(trait("tel", "phone"))

    first, second = read.message(["081"], 1), read.message(["081"], 2)

    assert first["cdp"]["record"]["external_id"] != second["cdp"]["record"]["external_id"]
    assert first["messageId"].endswith(first["cdp"]["record"]["external_id"].removeprefix("row:"))


def test_the_message_id_follows_the_content_and_not_the_line():
    read = reader(ID, trait("tel", "phone"), trait("x", "x"))

    same = read.message(["1", "081", ""], 2)["messageId"]
    assert read.message(["1", "081", ""], 99)["messageId"] == same
    assert read.message(["1", "082", ""], 2)["messageId"] != same
    assert read.message(["2", "081", ""], 2)["messageId"] != same
    assert len(same) <= 100


@pytest.mark.parametrize(
    ("cells", "problem", "column"),
    [
        (["", "", "B7", "S1", "1", "5", ""], RowProblem.NO_ID, "who"),
        (["x" * 201, "", "B7", "S1", "1", "5", ""], RowProblem.ID_TOO_LONG, "who"),
        (["H1", "soon", "B7", "S1", "1", "5", ""], RowProblem.TIME, "when"),
        (["H1", "", "", "S1", "1", "5", ""], RowProblem.NO_ID, "bill"),
        (["H1", "", "B7", "S1", "many", "5", ""], RowProblem.NUMBER, "qty"),
        (["H1", "", "B7", "S1", "1", "1e99999", ""], RowProblem.NUMBER, "paid"),
        (["H1", "", "B7", "S1", "1", "NaN", ""], RowProblem.NUMBER, "paid"),
    ],
)
def test_a_row_that_cannot_be_used_names_its_column(cells, problem, column):
    with pytest.raises(RowError) as caught:
        reader(*ORDER_FIELDS, rows="orders").message(cells, 1)

    assert (caught.value.problem, caught.value.column) == (problem, column)


def test_a_consent_cell_that_says_neither_yes_nor_no_is_broken():
    read = reader(ID, {"from": "news", "to": "consent", "purpose": "m", "channel": "email"})

    with pytest.raises(RowError) as caught:
        read.message(["1", "maybe"], 1)
    assert caught.value.problem == RowProblem.CONSENT


def test_ordinals_count_the_same_in_memory_and_on_disk():
    digests = [number.to_bytes(16, "little") for number in (1, 2, 3, 1, 3, 3, 4, 2)]
    digests = [digest[::-1][8:] + digest[:8] for digest in digests]
    with Ordinals(in_memory=2) as few, Ordinals() as many:
        assert [few(digest) for digest in digests] == [many(digest) for digest in digests] == [0, 0, 0, 1, 1, 2, 0, 1]
