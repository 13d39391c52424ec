"""`bench segment` asks the same in three ways: the compiler's, a person's and DuckDB's. They have to agree at the
bounds of the windows as well, or the figures compare different questions."""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from psycopg import sql
from rich.console import Console

from cdp_site.operations.bench import database, segment, segment_duckdb, segment_questions
from cdp_site.operations.bench.measure import Failed, Result
from cdp_site.operations.bench.segment import Sides
from cdp_site.operations.bench.segment_questions import CALLED, ORDERED, QUESTIONS, VIEWED
from cdp_site.operations.progress import Progress
from segments import audience
from segments.models import Segment
from tests.generative.segments.populations import (
    RawConsent,
    RawOrder,
    RawPerson,
    RawRecord,
    RawSource,
    RawTouchpoint,
    Stored,
    store,
)

pytestmark = pytest.mark.django_db

NOW = dt.datetime(2026, 11, 22, 3, 30, tzinfo=dt.UTC)
SITE = RawSource("site", 10)
RED_SHOE = {"color": "Red", "category": "รองเท้า"}
A_MOMENT = dt.timedelta(microseconds=1)


def days(n: float) -> dt.timedelta:
    return dt.timedelta(days=n)


def did(event: str, ago: dt.timedelta, **properties: Any) -> RawTouchpoint:
    return RawTouchpoint("site", event, NOW - ago, properties)


def one(*touchpoints: RawTouchpoint, spent: tuple[RawOrder, ...] = (), mail: str = "", **attributes: str) -> RawPerson:
    consents = (RawConsent("marketing", "email", mail, NOW - days(1)),) if mail else ()
    return RawPerson((RawRecord("site", NOW, attributes, consents=consents),), touchpoints, spent)


def order(total: int, *, days_ago: float = 40, **more: Any) -> RawOrder:
    return RawOrder("site", Decimal(total), NOW - days(days_ago), **more)


def full(
    *touchpoints: RawTouchpoint, total: int = 3_000, mail: str = "granted", province: str = "BANGKOK"
) -> RawPerson:
    viewed = did(VIEWED, days(80), category="Shoes")
    return one(viewed, *touchpoints, spent=(order(total),), mail=mail, province=province)


def bought(viewed: dt.timedelta, ordered: dt.timedelta, called: dt.timedelta | None = None) -> RawPerson:
    between = () if called is None else (did(CALLED, called),)
    return one(did(VIEWED, viewed), did(ORDERED, ordered), *between)


PEOPLE: Mapping[str, RawPerson] = {
    "S1 first day": one(province="Bangkok", birth_date="1980-01-01"),
    "S1 last day": one(province="กรุงเทพมหานคร", birth_date="1999-12-31"),
    "too old": one(province="Bangkok", birth_date="1979-12-31"),
    "of no known age": one(province="Bangkok"),
    "from elsewhere": one(province="ตรัง", birth_date="1990-05-05"),
    "S2 just inside": one(*(did(VIEWED, days(7) - A_MOMENT, **RED_SHOE) for _ in range(5))),
    "just outside": one(*(did(VIEWED, days(7), **RED_SHOE) for _ in range(5))),
    "four red, one blue": one(
        *(did(VIEWED, days(1), **RED_SHOE) for _ in range(4)), did(VIEWED, days(1), color="blue", category="shoes")
    ),
    "S3": full(),
    "S3 has called long ago": full(did(CALLED, days(30))),
    "has called": full(did(CALLED, days(29))),
    "has bought": full(did(ORDERED, days(1))),
    "spent less": full(total=2_999),
    "may not be mailed": full(mail="withdrawn"),
    "was never asked": full(mail=""),
    "lives elsewhere": full(province="ตรัง"),
    "S4": bought(days(20), days(13)),
    "S4 called at the instant of the view": bought(days(20), days(15), days(20)),
    "S4 called at the instant of the order": bought(days(20), days(15), days(15)),
    "S4 called before": bought(days(20), days(15), days(21)),
    "a moment too late": bought(days(20), days(13) - A_MOMENT),
    "called between": bought(days(20), days(15), days(17)),
    "bought at the instant of the view": bought(days(20), days(20)),
    "bought first": bought(days(20), days(22)),
    "viewed before the window": bought(days(90), days(88)),
    "S5": one(*(did(VIEWED, days(8 + n)) for n in range(10))),
    "nine views": one(*(did(VIEWED, days(8 + n)) for n in range(9)), did(VIEWED, days(90))),
    "S6": one(spent=(order(15_000), order(6_000, refunded=Decimal(1_000)))),
    "S6 refunded after all": one(spent=(order(20_000), order(9_000, refunded=Decimal(9_000)))),
    "cancelled": one(spent=(order(15_000), order(6_000, is_cancelled=True))),
    "in dollars": one(spent=(order(15_000), order(6_000, currency="USD"))),
    "a year ago": one(spent=(order(20_000, days_ago=365),)),
    "an anonymous visitor": replace(one(spent=(order(30_000),)), kind="anonymous"),
    "being erased": replace(one(spent=(order(30_000),)), state="erasing"),
}


@pytest.fixture
def stored() -> Stored:
    return store(list(PEOPLE.values()), (SITE,), ("marketing",))


@pytest.fixture
def sides(stored: Stored) -> Iterator[dict[str, Sides]]:
    with segment_duckdb.copied(Progress(Console(quiet=True))) as native:
        asked = segment_questions.asked(NOW)
        yield {
            question.name: Sides(question, asked, NOW, native) for question, asked in zip(QUESTIONS, asked, strict=True)
        }


def test_all_sides_find_whom_they_should(sides: dict[str, Sides], stored: Stored) -> None:
    names = list(PEOPLE)

    found = {name: {names[number] for number in stored.people(one.members())} for name, one in sides.items()}

    assert found == {name: {who for who in names if who.startswith(name)} for name in sides}


def test_sides_that_differ_are_not_measured(sides: dict[str, Sides]) -> None:
    def lie(*_said: object) -> sql.Composable:
        return sql.SQL("SELECT p.id FROM profiles_profile p WHERE false")

    wrong = replace(sides["S6"], question=replace(sides["S6"].question, in_duckdb=(lie,)))

    with pytest.raises(AssertionError, match=r"S6: 2 compiled, 0 in DuckDB, 0, 2 people differ"):
        wrong.members()


def test_the_segment_that_is_asked_for_leaves_no_trace(stored: Stored) -> None:
    segment_questions.asked(NOW)

    assert not Segment.objects.exists()


class TestRun:
    @pytest.fixture(autouse=True)
    def _of_that_day(self, monkeypatch: pytest.MonkeyPatch, stored: Stored) -> None:
        monkeypatch.setattr(database, "built_until", lambda: NOW)

    def test_each_question_is_measured_in_four_ways(self) -> None:
        results = {one.name: one for one in segment.run("") if isinstance(one, Result)}

        kinds = ("exact", "estimate", "by-hand", "duckdb")
        assert list(results) == [f"segment.S{number}.{kind}" for number in range(1, 7) for kind in kinds]
        assert {one.goal for name, one in results.items() if name.endswith("duckdb")} == {10.0}
        assert results["segment.S6.exact"].limit == 1_000
        assert results["segment.S6.exact"].note == "20,000 and more spent in a year; 2 members"
        assert "holds the true number" in results["segment.S4.estimate"].note

    def test_without_duckdb_the_rest_is_measured(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr(segment_duckdb, "NEEDED", "no_such_package")

        results = segment.run("")

        assert [one.name.rsplit(".")[-1] for one in results] == ["exact", "estimate", "by-hand"] * 6
        assert "uv sync --group dev" in " ".join(capsys.readouterr().err.split())

    def test_a_question_that_finds_nobody_has_failed(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM profiles_order")

        by_name = {one.name: one for one in segment.run("")}

        assert by_name["segment.S3"] == Failed("segment.S3", "finds nobody")
        assert isinstance(by_name["segment.S4.exact"], Result)

    def test_what_fails_is_reported_and_keeps_nothing_else_from_being_measured(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def slow(_asked: Any) -> None:
            raise audience.TooSlowProblem(3)

        monkeypatch.setattr(segment_duckdb, "NEEDED", "no_such_package")
        monkeypatch.setattr(segment.estimate, "estimate", slow)

        results = segment.run("")
        first = next(results)

        assert first.name == "segment.S1.exact"  # told before the others are measured
        failed = [one.name for one in results if isinstance(one, Failed)]
        assert failed == [f"segment.S{number}.estimate" for number in range(1, 7)]
