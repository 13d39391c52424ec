"""How values are shown in both languages."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.utils import translation

from cdp_site.core.templatetags import formats

NOON = datetime(2026, 11, 22, 5, 0, tzinfo=UTC)  # 12:00 in Bangkok


@pytest.mark.parametrize(("language", "shown"), [("th", "22 พ.ย. 2569"), ("en", "22 Nov 2026")])
def test_day_shows_the_readers_calendar_and_iso(language: str, shown: str) -> None:
    with translation.override(language):
        assert formats.day(date(2026, 11, 22)) == f'<time datetime="2026-11-22">{shown}</time>'
        assert formats.day("2026-11-22") == f'<time datetime="2026-11-22">{shown}</time>'


def test_day_is_the_companys_day() -> None:
    with translation.override("en"):
        assert "23 Nov 2026" in formats.day(datetime(2026, 11, 22, 18, 0, tzinfo=UTC))


def test_day_leaves_other_text_alone() -> None:
    assert formats.day("unknown") == "unknown"
    assert formats.day(None) == ""


def test_moment_has_the_offset_in_its_attribute() -> None:
    with translation.override("th"):
        assert formats.moment(NOON) == '<time datetime="2026-11-22T12:00:00+07:00">22 พ.ย. 2569 12:00</time>'


@pytest.mark.parametrize(
    ("before", "thai", "english"),
    [
        (timedelta(seconds=20), "เมื่อสักครู่", "just now"),
        (timedelta(minutes=1), "1 นาทีที่แล้ว", "1 minute ago"),
        (timedelta(hours=5), "5 ชั่วโมงที่แล้ว", "5 hours ago"),
        (timedelta(days=3), "3 วันที่แล้ว", "3 days ago"),
        (timedelta(days=40), "13 ต.ค. 2569", "13 Oct 2026"),
        (timedelta(hours=-1), "22 พ.ย. 2569", "22 Nov 2026"),
    ],
)
@time_machine.travel(NOON, tick=False)
def test_ago(before: timedelta, thai: str, english: str) -> None:
    for language, text in (("th", thai), ("en", english)):
        with translation.override(language):
            assert f">{text}</time>" in formats.ago(NOON - before)


@time_machine.travel(NOON, tick=False)
def test_day_headings() -> None:
    with translation.override("en"):
        assert ">Today 22 Nov 2026<" in formats.day_heading(date(2026, 11, 22))
        assert ">Yesterday 21 Nov 2026<" in formats.day_heading(date(2026, 11, 21))
        assert ">Friday 20 Nov 2026<" in formats.day_heading(date(2026, 11, 20))
    with translation.override("th"):
        assert ">ศุกร์ 20 พ.ย. 2569<" in formats.day_heading(date(2026, 11, 20))


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        (Decimal(3990), "THB", "฿3,990.00"),
        (Decimal("-1250.5"), "THB", "−฿1,250.50"),
        (1200, "JPY", "¥1,200"),
        ("99.9", "SGD", "99.90\u00a0SGD"),
        (10, None, "฿10.00"),
        (None, "THB", ""),
    ],
)
def test_money(amount: object, currency: str | None, shown: str) -> None:
    for language in ("th", "en"):
        with translation.override(language):
            assert formats.money(amount, currency) == shown  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("somchai@example.com", "s••••@example.com"),
        ("+66812345678", "•••• 5678"),
        ("สมชาย", "ส••••"),
        ("99/1234 ถนนสุขุมวิท 10110", "9••••"),
        ("", ""),
        (None, ""),
    ],
)
def test_masked(value: str | None, shown: str) -> None:
    assert formats.masked(value) == shown


def test_last_four_hides_a_short_value_whole() -> None:
    assert formats.last_four("123") == "••••"
