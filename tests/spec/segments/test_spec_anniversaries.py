"""When a day comes round again: birthdays, and the years since something began."""

from typing import Any

import pytest

from tests.spec.segments.asking import bangkok, knowing, who

pytestmark = pytest.mark.django_db


def comes_round(operator: str, n: int | None = None) -> dict[str, Any]:
    value = {} if n is None else {"value": n}
    return {"kind": "attribute", "trait": "birth_date", "operator": f"anniversary_{operator}", **value}


@pytest.mark.parametrize(
    ("today", "operator", "n", "inside", "outside"),
    [
        # Today, whatever the year. Nobody has a birthday on the day of birth itself, nor before it.
        (
            "2026-11-22",
            "today",
            None,
            ["1985-11-22", "2025-11-22"],
            ["1985-11-21", "1985-11-23", "2026-11-22", "2027-11-22"],
        ),
        # The next 7 days: today and the six after it.
        ("2026-11-22", "in_next_days", 7, ["1985-11-22", "1990-11-28"], ["1985-11-21", "1990-11-29"]),
        # The last 7 days: today and the six before it.
        ("2026-11-22", "in_last_days", 7, ["1985-11-22", "1990-11-16"], ["1985-11-23", "1990-11-15"]),
        # This month: from the first to the last of it, what has passed included.
        ("2026-11-22", "this_month", None, ["1985-11-01", "1990-11-30"], ["1985-10-31", "1990-12-01", "2026-11-02"]),
        # Over the end of the year: a birthday of January belongs to the next year, one of December to this one.
        (
            "2026-12-30",
            "in_next_days",
            5,
            ["1985-12-30", "1985-12-31", "1985-01-01", "2026-01-03"],
            ["1985-12-29", "1985-01-04", "2026-12-31"],
        ),
        ("2027-01-02", "in_last_days", 4, ["1985-12-30", "2026-01-02", "2025-12-31"], ["1985-12-29", "2026-12-31"]),
        # The 29th of February is kept on the 28th in a common year …
        ("2027-02-28", "today", None, ["1996-02-28", "1996-02-29"], ["1996-03-01"]),
        ("2027-03-01", "today", None, ["1996-03-01"], ["1996-02-29"]),
        ("2027-02-01", "this_month", None, ["1996-02-29"], ["1995-02-29"]),
        ("2027-02-22", "in_next_days", 7, ["1996-02-29"], []),
        ("2027-02-22", "in_next_days", 6, [], ["1996-02-28", "1996-02-29"]),
        ("2027-03-01", "in_last_days", 2, ["1996-02-28", "1996-02-29"], ["1996-02-27"]),
        # … and on its own day in a leap year.
        ("2028-02-28", "today", None, ["1996-02-28"], ["1996-02-29"]),
        ("2028-02-29", "today", None, ["1996-02-29"], ["1996-02-28", "1996-03-01"]),
        # A whole year holds every day once.
        ("2026-11-22", "in_next_days", 365, ["1985-11-21", "1985-11-22", "1996-02-29"], ["2026-11-22"]),
    ],
)
def test_a_day_comes_round(today: str, operator: str, n: int | None, inside: list[str], outside: list[str]) -> None:
    crowd = {day: knowing(birth_date=day) for day in [*inside, *outside]}

    assert who(crowd, comes_round(operator, n), now=bangkok(f"{today} 00:00")) == set(inside)


def test_the_day_is_the_companys_day() -> None:
    """At 17:00 in London it is tomorrow in Bangkok. A moment counts by its day in Bangkok."""
    crowd = {
        "the 22nd": knowing(birth_date="1985-11-22"),
        "the 23rd": knowing(birth_date="1985-11-23"),
        "a moment of the 23rd": knowing(birth_date="1985-11-22T17:00:00Z"),
    }

    assert who(crowd, comes_round("today"), now=bangkok("2026-11-22 23:59:59")) == {"the 22nd"}
    assert who(crowd, comes_round("today"), now=bangkok("2026-11-23 00:00")) == {"the 23rd", "a moment of the 23rd"}


def test_who_has_no_day_has_no_anniversary() -> None:
    """Nor is "none of" about them alone: it is the exact rest."""
    crowd = {
        "today": knowing(birth_date="1985-11-22"),
        "one of two": knowing(birth_date=["1985-05-05", "1985-11-22"]),
        "another day": knowing(birth_date="1985-05-05"),
        "no day": knowing(birth_date="last spring"),
        "unknown": knowing(),
    }
    today = comes_round("today")

    assert who(crowd, today, now=bangkok("2026-11-22 10:30")) == {"today", "one of two"}
    none_of = {"kind": "not", "of": [today]}
    assert who(crowd, none_of, now=bangkok("2026-11-22 10:30")) == {"another day", "no day", "unknown"}
