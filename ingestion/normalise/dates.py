"""Dates as sources write them: Thai and English, Buddhist and Gregorian era."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from functools import lru_cache
from typing import Final, Literal, NamedTuple

from ingestion.normalise.text import clean
from ingestion.normalise.thai import ascii_digits, normalise_thai
from ingestion.normalise.values import Normalised, Problem, placeholder_problem

DateOrder = Literal["dmy", "mdy", "ymd"]
Era = Literal["buddhist", "gregorian"]

BUDDHIST_OFFSET: Final = 543
FIRST_BUDDHIST_YEAR: Final = 2400  # 1857 CE: no Gregorian year of a customer's is as late, no Buddhist one as early
_PLAUSIBLE: Final = range(1850, 2151)
MAX_DATE_LENGTH: Final = 60


@dataclass(frozen=True, slots=True)
class TwoDigitYears:
    """What a source's two-digit years mean, as a person has said for it.

    Args:
        era: the era the digits are written in.
        first_year: first Gregorian year of the hundred that they may stand for.
    """

    era: Era
    first_year: int = 1927

    def year(self, digits: int) -> int:
        """The Gregorian year of the two digits."""
        gregorian = digits - BUDDHIST_OFFSET if self.era == "buddhist" else digits
        return self.first_year + (gregorian - self.first_year) % 100


_MONTH_NAMES: Final = (
    ("january", "jan", "มกราคม", "มกรา", "ม.ค.", "มค"), ("february", "feb", "กุมภาพันธ์", "กุมภา", "ก.พ.", "กพ"),
    ("march", "mar", "มีนาคม", "มีนา", "มี.ค.", "มีค"), ("april", "apr", "เมษายน", "เมษา", "เม.ย.", "เมย"),
    ("may", "may", "พฤษภาคม", "พฤษภา", "พ.ค.", "พค"), ("june", "jun", "มิถุนายน", "มิถุนา", "มิ.ย.", "มิย"),
    ("july", "jul", "กรกฎาคม", "กรกฎา", "ก.ค.", "กค"), ("august", "aug", "สิงหาคม", "สิงหา", "ส.ค.", "สค"),
    ("september", "sep", "sept", "กันยายน", "กันยา", "ก.ย.", "กย"), ("october", "oct", "ตุลาคม", "ตุลา", "ต.ค.", "ตค"),
    ("november", "nov", "พฤศจิกายน", "พฤศจิกา", "พ.ย.", "พย"), ("december", "dec", "ธันวาคม", "ธันวา", "ธ.ค.", "ธค"),
)  # fmt: skip
_MONTHS: Final = {name.replace(".", ""): number for number, names in enumerate(_MONTH_NAMES, 1) for name in names}

_ISO: Final = re.compile(r"(\d{4})-(\d\d)-(\d\d)")
_NUMERIC: Final = re.compile(r"(\d{1,4})\s*[-/. ]\s*(\d{1,2})\s*[-/. ]\s*(\d{1,4})")
_COMPACT: Final = re.compile(r"\d{8}")
_DAY_FIRST: Final = re.compile(
    r"(\d{1,2})(?:st|nd|rd|th)?[ ,./-]*([^\W\d_][^\d,/ -]*(?:\.[^\d,/ -]+)*)[ ,./-]*(\d{1,4})"
)
_MONTH_FIRST: Final = re.compile(r"([^\W\d_][^\d,/ -]*)[ .,/-]*(\d{1,2})(?:st|nd|rd|th)?[ ,./-]+(\d{1,4})")
_ERA_WORDS: Final = re.compile(
    r"(พ\.?\s*ศ\.?|b\.?\s*e\.?(?=\s*\d))|(ค\.?\s*ศ\.?|a\.?\s*d\.?(?=\s*\d)|c\.?\s*e\.?(?=\s*\d))"
)
_LEADING_WORDS: Final = re.compile(r"^(?:วัน\S*?ที่|วันที่|mon|tue|wed|thu|fri|sat|sun)[a-z]*[ ,.]*")
_TIME: Final = re.compile(
    r"[t ,]+(?:เวลา\s*)?(\d{1,2})[:.](\d\d)(?:[:.](\d\d)(?:[.,](\d{1,9}))?)?"
    r"\s*(น\.?|am|pm)?\s*(z|utc|gmt|[+-]\d\d:?\d\d)?$"
)


def normalise_date(raw: str, *, order: DateOrder = "dmy", two_digit_years: TwoDigitYears | None = None) -> Normalised:
    """The day as ISO 8601 in the Gregorian calendar; a time of day behind it is left out.

    A year from 2400 on is Buddhist era (− 543). A two-digit year stays raw with ``AMBIGUOUS_YEAR`` unless
    ``two_digit_years`` says what it means. Day and month that fit only another ``order`` stay raw with
    ``DATE_ORDER``: the order chosen for the source is then wrong, and its other rows would be read wrongly.
    """
    return _normalise(raw, order, two_digit_years)


@lru_cache(maxsize=32_768)
def _normalise(raw: str, order: DateOrder, two_digit_years: TwoDigitYears | None) -> Normalised:
    text = ascii_digits(clean(raw))
    if len(text) > MAX_DATE_LENGTH:
        return Normalised.bad(text, raw, Problem.TOO_LONG)
    if problem := placeholder_problem(text):
        return Normalised.bad(text, raw, problem)
    found = _read(_TIME.sub("", text.lower()), _Convention(order, two_digit_years))
    return Normalised.bad(text, raw, found) if isinstance(found, Problem) else Normalised.good(found.isoformat(), raw)


class _Convention(NamedTuple):
    """How a date's numbers are meant."""

    order: DateOrder
    two_digit_years: TwoDigitYears | None = None
    era: Era | None = None  # named in the text itself


def _read(text: str, convention: _Convention) -> date | Problem:
    """The date that a lower-case text without a time of day gives, or what is wrong with it."""
    if iso := _ISO.fullmatch(text):
        return _day(iso[1], iso[2], iso[3], convention)
    if not text.isascii():
        text = normalise_thai(text)
    if words := _ERA_WORDS.search(text):
        convention = convention._replace(era="buddhist" if words[1] else "gregorian")
        text = clean(_ERA_WORDS.sub(" ", text))
    text = _LEADING_WORDS.sub("", text).strip(" ,.")
    if numeric := _NUMERIC.fullmatch(text):
        return _numeric(numeric[1], numeric[2], numeric[3], convention)
    if _COMPACT.fullmatch(text):
        return _compact(text, convention)
    if (named := _DAY_FIRST.fullmatch(text)) and (month := _month(named[2])):
        return _day(named[3], month, named[1], convention)
    if (named := _MONTH_FIRST.fullmatch(text)) and (month := _month(named[1])):
        return _day(named[3], month, named[2], convention)
    return Problem.MALFORMED


def _month(name: str) -> str | None:
    number = _MONTHS.get(name.replace(".", ""))
    return str(number) if number else None


def _numeric(a: str, b: str, c: str, convention: _Convention) -> date | Problem:
    if len(a) == 4 and len(c) <= 2:
        return _day(a, b, c, convention)
    if len(a) > 2 or len(c) == 3:
        return Problem.MALFORMED
    if convention.order == "ymd":
        return _day(a, b, c, convention) if len(c) <= 2 else Problem.DATE_ORDER
    month, day = (a, b) if convention.order == "mdy" else (b, a)
    if int(month) > 12 >= int(day):
        return Problem.DATE_ORDER
    return _day(c, month, day, convention)


def _compact(text: str, convention: _Convention) -> date | Problem:
    """Eight digits: year first (20051231), else as the order says. Both never fit, since no month is 18–26."""
    found = _day(text[:4], text[4:6], text[6:], convention)
    if not isinstance(found, Problem):
        return found
    return _numeric(text[:2], text[2:4], text[4:], convention)


def _day(year: str, month: str, day: str, convention: _Convention) -> date | Problem:
    number = int(year)
    if len(year) <= 2:
        if convention.two_digit_years is None:
            return Problem.AMBIGUOUS_YEAR if _is_day(2000, int(month), int(day)) else Problem.MALFORMED
        number = convention.two_digit_years.year(number)
    elif convention.era == "buddhist" or (convention.era is None and number >= FIRST_BUDDHIST_YEAR):
        number -= BUDDHIST_OFFSET
    if number not in _PLAUSIBLE or not _is_day(number, int(month), int(day)):
        return Problem.MALFORMED
    return date(number, int(month), int(day))


def _is_day(year: int, month: int, day: int) -> bool:
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True


_FAST_STAMP: Final = re.compile(r"(?:19|20)\d\d-\d\d-\d\d[Tt ]\d\d:\d\d.*")
_EPOCH: Final = re.compile(r"\d{10}(?:\d{3})?")


def parse_timestamp(
    raw: str, *, zone: tzinfo, order: DateOrder = "dmy", two_digit_years: TwoDigitYears | None = None
) -> datetime | None:
    """The instant that a text names, in UTC, or None when it names none.

    A text without a zone is in ``zone``, a date alone is its first moment there; ten or thirteen digits are seconds or
    milliseconds since 1970. A two-digit year names none unless ``two_digit_years`` says what it means.
    """
    text = ascii_digits(clean(raw))
    if len(text) > MAX_DATE_LENGTH:
        return None
    try:
        if _FAST_STAMP.fullmatch(text):
            return _in_utc(datetime.fromisoformat(text), zone)
        if _EPOCH.fullmatch(text):
            return datetime.fromtimestamp(int(text) / (1000 if len(text) == 13 else 1), tz=UTC)
    except (ValueError, OverflowError):
        return None
    return _read_timestamp(text.lower(), zone, _Convention(order, two_digit_years))


def _read_timestamp(text: str, zone: tzinfo, convention: _Convention) -> datetime | None:
    time = _TIME.search(text)
    day = _read(text[: time.start()] if time else text, convention)
    if isinstance(day, Problem):
        return None
    if time is None:
        return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
    hour = int(time[1])
    if time[5] in ("am", "pm"):
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if time[5] == "pm" else 0)
    offset = {"z": "+00:00", "utc": "+00:00", "gmt": "+00:00"}.get(time[6] or "", time[6] or "")
    fraction = (time[4] or "0")[:6].ljust(6, "0")
    try:
        stamp = datetime.fromisoformat(f"{day.isoformat()}T{hour:02d}:{time[2]}:{time[3] or '00'}.{fraction}{offset}")
        return _in_utc(stamp, zone)
    except (ValueError, OverflowError):
        return None


def _in_utc(stamp: datetime, zone: tzinfo) -> datetime:
    return (stamp if stamp.tzinfo else stamp.replace(tzinfo=zone)).astimezone(UTC)
