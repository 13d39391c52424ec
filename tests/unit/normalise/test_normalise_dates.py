"""Dates of both eras and both languages."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from ingestion.normalise.dates import DateOrder, TwoDigitYears, normalise_date, parse_timestamp
from ingestion.normalise.values import Normalised, Problem

BANGKOK = ZoneInfo("Asia/Bangkok")


@pytest.mark.parametrize(
    ("raw", "iso"),
    [
        ("27-09-2521", "1978-09-27"),
        ("20/11/2518", "1975-11-20"),
        ("1/8/2531", "1988-08-01"),
        ("26 ธ.ค. 2534", "1991-12-26"),
        ("26ธ.ค.2534", "1991-12-26"),
        ("๒๖ มี.ค. ๒๕๓๗", "1994-03-26"),
        ("26 มกราคม พ.ศ. 2534", "1991-01-26"),
        ("วันที่ 5 พฤษภาคม 2567", "2024-05-05"),
        ("5 มิย 2530", "1987-06-05"),
        ("29/02/2543", "2000-02-29"),
        ("2534-12-26", "1991-12-26"),
        ("25341226", "1991-12-26"),
        ("1991-12-26", "1991-12-26"),
        ("1991-12-26T17:30:00Z", "1991-12-26"),
        ("26/12/1991 00:00:00", "1991-12-26"),
        ("1991/1/6", "1991-01-06"),
        ("19161108", "1916-11-08"),
        ("27092521", "1978-09-27"),
        ("26 Dec 1991", "1991-12-26"),
        ("December 26, 1991", "1991-12-26"),
        ("26 มกราคม ค.ศ. 1991", "1991-01-26"),
    ],
)
def test_day(raw: str, iso: str) -> None:
    assert normalise_date(raw) == Normalised.good(iso, raw)


@pytest.mark.parametrize(("order", "iso"), [("dmy", "1978-11-12"), ("mdy", "1978-12-11")])
def test_order(order: DateOrder, iso: str) -> None:
    assert normalise_date("12/11/1978", order=order).value == iso


@pytest.mark.parametrize(
    ("raw", "order"), [("3/31/1954", "dmy"), ("31/3/1954", "mdy"), ("12/11/1978", "ymd"), ("03311954", "dmy")]
)
def test_a_date_that_fits_only_another_order_shows_that_the_order_is_wrong(raw: str, order: DateOrder) -> None:
    assert normalise_date(raw, order=order) == Normalised.bad(raw, raw, Problem.DATE_ORDER)


@pytest.mark.parametrize("raw", ["21/1/09", "4/11/16", "26 ธ.ค. 34", "Dec 26, 91"])
def test_a_two_digit_year_is_never_guessed(raw: str) -> None:
    assert normalise_date(raw) == Normalised.bad(raw, raw, Problem.AMBIGUOUS_YEAR)


@pytest.mark.parametrize(
    ("raw", "years", "iso"),
    [
        ("21/1/09", TwoDigitYears("buddhist"), "1966-01-21"),
        ("27/6/47", TwoDigitYears("buddhist"), "2004-06-27"),
        ("27/6/47", TwoDigitYears("gregorian"), "1947-06-27"),
        ("27/6/26", TwoDigitYears("gregorian"), "2026-06-27"),
        ("27/6/26", TwoDigitYears("gregorian", first_year=1900), "1926-06-27"),
        ("12-06-27", TwoDigitYears("gregorian"), "2012-06-27"),
    ],
)
def test_a_two_digit_year_is_read_as_somebody_said(raw: str, years: TwoDigitYears, iso: str) -> None:
    order: DateOrder = "ymd" if raw.startswith("12-") else "dmy"
    assert normalise_date(raw, order=order, two_digit_years=years).value == iso


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        ("31/02/2540", Problem.MALFORMED),
        ("12/2540", Problem.MALFORMED),
        ("2540", Problem.MALFORMED),
        ("1/1/2250", Problem.MALFORMED),
        ("1/1/0001", Problem.MALFORMED),
        ("yesterday", Problem.MALFORMED),
        ("26 foo 2534", Problem.MALFORMED),
        ("-", Problem.JUNK),
        ("ไม่ระบุ", Problem.JUNK),
        ("**/**/2534", Problem.MASKED),
        ("1" * 61, Problem.TOO_LONG),
    ],
)
def test_no_day(raw: str, problem: Problem) -> None:
    assert normalise_date(raw) == Normalised.bad(raw, raw, problem)


@pytest.mark.parametrize(
    ("raw", "stamp"),
    [
        ("2026-11-22T10:00:00.123Z", datetime(2026, 11, 22, 10, 0, 0, 123000, UTC)),
        ("2026-11-22T10:00:00+07:00", datetime(2026, 11, 22, 3, tzinfo=UTC)),
        ("2026-11-22 10:00", datetime(2026, 11, 22, 3, tzinfo=UTC)),
        ("22/11/2569 10:00 น.", datetime(2026, 11, 22, 3, tzinfo=UTC)),
        ("22 พ.ย. 2569 เวลา 10.30", datetime(2026, 11, 22, 3, 30, tzinfo=UTC)),
        ("22/11/2026 3:05 PM", datetime(2026, 11, 22, 8, 5, tzinfo=UTC)),
        ("22/11/2026 12:05 am", datetime(2026, 11, 21, 17, 5, tzinfo=UTC)),
        ("2569-11-22 10:00:00", datetime(2026, 11, 22, 3, tzinfo=UTC)),
        ("2026-11-22", datetime(2026, 11, 21, 17, tzinfo=UTC)),
        ("1795316400", datetime(2026, 11, 22, 3, tzinfo=UTC)),
        ("1795316400250", datetime(2026, 11, 22, 3, 0, 0, 250000, UTC)),
    ],
)
def test_timestamp(raw: str, stamp: datetime) -> None:
    assert parse_timestamp(raw, zone=BANGKOK) == stamp


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "soon",
        "2026-13-01T10:00:00Z",
        "2026-11-22T25:00:00Z",
        "22/11/26 10:00",
        "22/11/2026 13:00 pm",
        "0001-01-01 00:00",
        "9" * 80,
    ],
)
def test_no_timestamp(raw: str) -> None:
    assert parse_timestamp(raw, zone=BANGKOK) is None
