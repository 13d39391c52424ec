"""Consents of earlier days in files: what cells say, when, with what evidence."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from ingestion.files import mapping
from ingestion.files.codes import MappingCode, RowProblem
from ingestion.files.ordinals import Ordinals
from ingestion.files.rows import RowError, RowReader

ID = {"from": "id", "to": "record_id"}
NEWS = {"from": "news", "to": "consent", "purpose": "marketing", "channel": "email"}


def said(field: dict, *cells: str, columns: tuple[str, ...] = ("id", "news", "since"), **changes: Any) -> list[dict]:
    return read({"version": 2, "rows": "people", "fields": [ID, field], **changes}, columns, cells)


def read(definition: dict, columns: tuple[str, ...], cells: tuple[str, ...]) -> list[dict]:
    reader = RowReader(
        mapping.parse(definition, columns=columns),
        columns=columns,
        zone=ZoneInfo("Asia/Bangkok"),
        ordinal=Ordinals(),
        seal=lambda _kind, number: {"hash": number, "last_four": number[-4:]},
    )
    return reader.message(list(cells), 1)["cdp"].get("consents", [])


@pytest.mark.parametrize("cell", ["", "-", "ไม่เคยถาม", "never asked", "NULL"])
def test_never_asked_says_nothing(cell):
    assert said(NEWS, "1", cell, "") == []


def test_values_are_what_a_person_says_they_are():
    field = {**NEWS, "values": {"A": "granted", "B": "refused", "C": "withdrawn", "D": "never"}}

    assert [said(field, "1", cell, "")[0]["state"] for cell in "abc"] == ["granted", "refused", "withdrawn"]
    assert said(field, "1", "D", "") == []
    with pytest.raises(RowError) as caught:
        said(field, "1", "Y", "")
    assert (caught.value.problem, caught.value.column) == (RowProblem.CONSENT, "news")


def test_what_was_asked_and_how_it_is_known_goes_with_the_statement():
    field = {
        **NEWS,
        "notice": {"version": "2567-05", "language": "th", "text": "ยินยอมรับข่าวสาร"},
        "evidence": {"how": "form", "where": "สาขาสยาม"},
    }

    assert said(field, "1", "Y", "") == [
        {
            "purpose": "marketing",
            "channel": "email",
            "state": "granted",
            "cell": True,
            "notice_version": "2567-05",
            "language": "th",
            "evidence": {"notice": "ยินยอมรับข่าวสาร", "how": "form", "where": "สาขาสยาม", "column": "news"},
        }
    ]


def test_a_notice_without_a_version_is_told_apart_by_its_text():
    first, second = (said({**NEWS, "notice": {"text": text}}, "1", "Y", "")[0] for text in ("one", "two"))

    assert first["notice_version"].startswith("text-")
    assert first["notice_version"] != second["notice_version"]


SINCE = {**NEWS, "when": {"from": "since"}}


@pytest.mark.parametrize(
    ("cell", "since", "at"),
    [
        ("Y", "1/5/2567", "2024-04-30T17:00:00+00:00"),  # a day's grant begins with it
        ("N", "1/5/2567", "2024-05-01T16:59:59.999999+00:00"),  # and its refusal holds to the end
        ("N", "1/5/2567 14:05", "2024-05-01T07:05:00+00:00"),
        ("N", "", None),  # a refusal of an unknown day counts from now
    ],
)
def test_when_it_was_said(cell, since, at):
    assert said(SINCE, "1", cell, since)[0].get("at") == at


@pytest.mark.parametrize(("cell", "since"), [("Y", ""), ("Y", "soon"), ("N", "soon"), ("Y", "1/5/67")])
def test_a_yes_of_an_unknown_day_is_left_out(cell, since):
    with pytest.raises(RowError) as caught:
        said(SINCE, "1", cell, since)
    assert (caught.value.problem, caught.value.column) == (RowProblem.TIME, "since")


def test_one_date_serves_where_the_column_is_empty():
    field = {**NEWS, "when": {"from": "since", "value": "2024-05-01"}}

    assert said(field, "1", "Y", "")[0]["at"] == "2024-04-30T17:00:00+00:00"
    assert said(field, "1", "Y", "2/5/2567")[0]["at"] == "2024-05-01T17:00:00+00:00"
    assert said({**NEWS, "when": {"value": "2024-05-01"}}, "1", "Y", "")[0]["at"] == "2024-04-30T17:00:00+00:00"


def test_two_digit_years_of_consents_are_those_of_the_file():
    assert said(SINCE, "1", "Y", "1/5/67", two_digit_years={"era": "buddhist"})[0]["at"] == "2024-04-30T17:00:00+00:00"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"purpose": " "}, MappingCode.PURPOSE),
        ({"values": {"Y": "perhaps"}}, MappingCode.VALUES),
        ({"values": {}}, MappingCode.VALUES),
        ({"evidence": {"how": "by pigeon"}}, MappingCode.EVIDENCE),
        ({"notice": {"text": "x" * 501}}, MappingCode.EVIDENCE),
    ],
)
def test_what_is_wrong_with_a_consent_is_said(changes, code):
    with pytest.raises(mapping.InvalidMapping) as caught:
        said({**NEWS, **changes}, "1", "Y", "")
    assert [problem.code for problem in caught.value.problems] == [code]


# --- a statement a row ----------------------------------------------------------------------------------------------

COLUMNS = ("id", "purpose", "channel", "answer", "day", "address")
STATEMENTS = {
    "version": 2,
    "rows": "consents",
    "fields": [
        ID,
        *({"from": name, "to": "statement", "name": name} for name in ("purpose", "channel", "address")),
        {"from": "answer", "to": "statement", "name": "state"},
        {"from": "day", "to": "timestamp"},
    ],
}


def test_a_row_is_one_statement():
    found = read(STATEMENTS, COLUMNS, ("1", "Marketing", "ไลน์", "ถอนความยินยอม", "2024-05-01T10:00:00Z", "U1"))

    assert found == [
        {
            "purpose": "marketing",
            "channel": "line",
            "state": "withdrawn",
            "cell": True,
            "at": "2024-05-01T10:00:00+00:00",
            "evidence": {},
            "address": "U1",
        }
    ]


def test_a_statement_needs_its_purpose_and_a_yes_its_day():
    with pytest.raises(RowError) as caught:
        read(STATEMENTS, COLUMNS, ("1", "", "sms", "Y", "2024-05-01", ""))
    assert (caught.value.problem, caught.value.column) == (RowProblem.CONSENT, "purpose")
    with pytest.raises(RowError) as caught:
        read(STATEMENTS, COLUMNS, ("1", "m", "sms", "Y", "", ""))
    assert (caught.value.problem, caught.value.column) == (RowProblem.TIME, "day")
    assert read(STATEMENTS, COLUMNS, ("1", "m", "sms", "", "", "")) == []


@pytest.mark.parametrize("lacking", range(1, 6))
def test_a_file_of_statements_says_who_what_and_when(lacking):
    fields = [one for place, one in enumerate(STATEMENTS["fields"]) if place != lacking]
    if lacking == 3:
        assert mapping.parse({**STATEMENTS, "fields": fields})  # the address is optional
        return
    with pytest.raises(mapping.InvalidMapping) as caught:
        mapping.parse({**STATEMENTS, "fields": fields})
    assert [problem.code for problem in caught.value.problems] == [MappingCode.NO_STATEMENT]
