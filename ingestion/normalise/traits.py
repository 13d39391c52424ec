"""A message's traits as the product keeps them: canonical names, clean values, identifiers, names, problems."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final, NamedTuple

from ingestion.normalise.dates import DateOrder, TwoDigitYears, normalise_date
from ingestion.normalise.email import normalise_email
from ingestion.normalise.name_words import COURTESY_TITLES
from ingestion.normalise.names import MAX_NAME_LENGTH, PersonName, person_name, split_title
from ingestion.normalise.phone import normalise_phone
from ingestion.normalise.text import is_blank
from ingestion.normalise.thai import ascii_digits, normalise_thai
from ingestion.normalise.trait_names import canonical_name, suggest_trait
from ingestion.normalise.values import Normalised, Problem, placeholder_problem

GLOBAL: Final = "global"  # the same value is the same thing in every source
OWN: Final = "source"  # the value means something within its source only

MAX_VALUES: Final = 20  # values read from one trait's list; a person has fewer, a shared account more
MAX_TEXT_LENGTH: Final = 1_000  # characters of a known text trait that is cleaned; a longer one is kept as it came


@dataclass(frozen=True, slots=True)
class IdentifierCandidate:
    """A value that may tell who the person is. ``namespace`` is ``GLOBAL`` or ``OWN`` (the source's key goes there)."""

    kind: str
    namespace: str
    value: Normalised


class TraitProblem(NamedTuple):
    """What is wrong with one value of a trait. ``raw`` is personal data: shown to a steward, never logged."""

    trait: str
    code: Problem
    raw: str


@dataclass(frozen=True, slots=True)
class NormalisedTraits:
    """What one message says about a person.

    ``attributes`` is JSON-safe, by canonical name: absent means unchanged, None means cleared. A value with a problem
    is in it as it is shown (cleaned raw text), and its trait in ``problems``.
    """

    attributes: dict[str, Any]
    identifiers: tuple[IdentifierCandidate, ...]
    names: tuple[PersonName, ...]
    problems: tuple[TraitProblem, ...]


@dataclass(slots=True)
class _Reading:
    """What is being gathered from one message, with the source's ways of writing."""

    region: str
    fallback_regions: Sequence[str]
    date_order: DateOrder
    two_digit_years: TwoDigitYears | None
    attributes: dict[str, Any] = field(default_factory=dict)
    identifiers: list[IdentifierCandidate] = field(default_factory=list)
    problems: list[TraitProblem] = field(default_factory=list)

    def problem(self, trait: str, code: Problem, raw: Any) -> None:
        self.problems.append(TraitProblem(trait, code, raw if isinstance(raw, str) else repr(raw)))


def normalise_traits(
    traits: Mapping[str, Any],
    *,
    region: str = "TH",
    fallback_regions: Sequence[str] = (),
    date_order: DateOrder = "dmy",
    two_digit_years: TwoDigitYears | None = None,
) -> NormalisedTraits:
    """Reads the person part of a message (``traits`` or ``context.traits``).

    Args:
        traits: decoded JSON object, keys as the source writes them.
        region: where the source's people dial from (ISO 3166-1), for phones without a country.
        fallback_regions: tried for phones that are none in ``region``.
        date_order: order of day, month and year in all-numeric dates.
        two_digit_years: what two-digit years mean there, when a person has said so.

    A blank text clears its trait, like null: a door whose blank cells mean nothing (a file) leaves them out. When two
    keys stand for one trait, multi-valued traits take both; of others the canonical key wins, then the first by name.
    """
    reading = _Reading(region, fallback_regions, date_order, two_digit_years)
    for name, value in _by_canonical_name(traits).items():
        if value is None or value == [] or (isinstance(value, str) and is_blank(value)):
            reading.attributes[name] = None
        elif handler := _HANDLERS.get(name):
            handler(reading, name, value)
        elif isinstance(value, float) and not math.isfinite(value):
            reading.problem(name, Problem.NOT_A_NUMBER, value)
        else:
            reading.attributes[name] = value
    names = _read_names(reading)
    return NormalisedTraits(reading.attributes, tuple(reading.identifiers), names, tuple(reading.problems))


def names_of(attributes: Mapping[str, Any]) -> tuple[PersonName, ...]:
    """The names that a record's current canonical attributes hold, without repetitions, its own parts first.

    For records whose attributes came in several messages; ``normalise_traits`` gives the names of one message.
    """
    found: list[PersonName] = []
    titles = _texts(attributes, "title")
    title = titles[0] if titles else None
    firsts, lasts = _texts(attributes, "first_name"), _texts(attributes, "last_name")
    for index in range(max(len(firsts), len(lasts))):
        # Lists of unequal length: what is missing at the end is what stands first (two surnames, one given name).
        first = firsts[index if index < len(firsts) else 0] if firsts else None
        last = lasts[index if index < len(lasts) else 0] if lasts else None
        _add(found, person_name(first=first, last=last, title=title))
    for full in _texts(attributes, "name"):
        _add(found, person_name(full, title=title))
    for full in (*_texts(attributes, "display_name"), *_texts(attributes, "nickname")):
        _add(found, person_name(full, display_only=True))
    return tuple(found)


def _add(found: list[PersonName], name: PersonName | None) -> None:
    if name and not any(name.full == other.full and name.display_only >= other.display_only for other in found):
        found.append(name)


def _texts(attributes: Mapping[str, Any], trait: str) -> Sequence[str]:
    value = attributes.get(trait)
    if not value:
        return ()
    if isinstance(value, str):
        return (value,)
    return [item for item in value if isinstance(item, str) and item] if isinstance(value, list) else ()


# --- keys --------------------------------------------------------------------------------------------------------

_MULTI_VALUED: Final = frozenset({"name", "first_name", "last_name", "email", "phone", "address"})
_ADDRESS_PARTS: Final = frozenset(
    {"address", "address_line2", "subdistrict", "district", "city", "province", "postcode", "country"}
)  # fmt: skip


def _by_canonical_name(traits: Mapping[str, Any]) -> dict[str, Any]:
    collected: dict[str, Any] = {}
    synonyms: list[tuple[str, str, Any]] = []
    for key, value in traits.items():
        name = canonical_name(key)
        if name == key:
            collected[name] = value
        else:
            synonyms.append((name, key, value))
    for name, _, value in sorted(synonyms, key=lambda synonym: synonym[:2]):
        if name not in collected:
            collected[name] = value
        elif name in _MULTI_VALUED and value not in (None, ""):
            collected[name] = [*_as_list(collected[name]), *_as_list(value)]
    if any(isinstance(item, dict) for item in _as_list(collected.get("address"))):
        _flatten_address(collected)
    if isinstance(collected.get("company"), dict):
        _flatten_company(collected)
    return collected


def _flatten_address(collected: dict[str, Any]) -> None:
    """Segment's address object as traits. Of several addresses the first gives the parts, and each gives one line."""
    lines: list[Any] = []
    for position, item in enumerate(_as_list(collected.pop("address"))):
        if not isinstance(item, dict):
            lines.append(item)
            continue
        parts = {name: value for key, value in item.items() if (name := suggest_trait(key)) in _ADDRESS_PARTS}
        street = parts.pop("address", None)
        if position == 0:
            for name, value in parts.items():
                collected.setdefault(name, value)
            lines.append(street)
        else:
            lines.append(", ".join(str(part) for part in (street, *parts.values()) if part not in (None, "")))
    lines = [line for line in lines if line not in (None, "")]
    if lines:
        collected["address"] = lines if len(lines) > 1 else lines[0]


def _flatten_company(collected: dict[str, Any]) -> None:
    """Segment's company object as traits: its name is the company, the rest goes beside it."""
    company = collected.pop("company")
    for key, value in company.items():
        name = canonical_name(key)
        collected.setdefault("company" if name == "name" else f"company_{name}", value)


def _as_list(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


# --- values ------------------------------------------------------------------------------------------------------

_SEVERAL_EMAILS: Final = re.compile(r"[;,|\s/]+")
_SEVERAL_PHONES: Final = re.compile(r"\s*(?:[;,|/]|\bor\b|หรือ|และ)\s*")
_GENDERS: Final = {
    **dict.fromkeys(("m", "male", "man", "ชาย", "ช", "ผู้ชาย", "เพศชาย"), "male"),
    **dict.fromkeys(("f", "female", "woman", "หญิง", "ญ", "ผู้หญิง", "เพศหญิง"), "female"),
}  # fmt: skip


def _as_text(value: Any) -> str | None:
    """A text, or a number that a source's tool took a text of digits for; None for anything else."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return str(value) if abs(value) < 10**30 else None
    return str(int(value)) if isinstance(value, float) and value.is_integer() and abs(value) < 1e15 else None


def _split(value: Any, separator: re.Pattern[str], is_one: Callable[[str], bool]) -> list[Any]:
    """The single values of a list, or of a text in which several were typed into one field."""
    items: list[Any] = []
    for item in _as_list(value):
        pieces = separator.split(item.strip()) if isinstance(item, str) and len(item) <= MAX_TEXT_LENGTH else [item]
        items.extend(pieces if len(pieces) > 1 and all(is_one(piece) for piece in pieces) else [item])
    return items


def _read_identifiers(
    reading: _Reading, name: str, items: list[Any], read: Callable[[str], Normalised], namespace: str
) -> None:
    shown: list[Any] = []
    for item in _first(reading, name, items):
        text = _as_text(item)
        if text is None:
            reading.problem(name, Problem.WRONG_TYPE, item)
            shown.append(item)
            continue
        value = read(text)
        if value.value in shown:
            continue
        shown.append(value.value)
        reading.identifiers.append(IdentifierCandidate(name, namespace, value))
        if value.problem:
            reading.problem(name, value.problem, text)
    reading.attributes[name] = _list_or_one(shown)


def _first(reading: _Reading, name: str, items: list[Any]) -> list[Any]:
    """The items that say something, as many as are read."""
    items = [item for item in items if item is not None and not (isinstance(item, str) and is_blank(item))]
    if len(items) > MAX_VALUES:
        reading.problem(name, Problem.TOO_MANY, str(len(items)))
    return items[:MAX_VALUES]


def _list_or_one(items: list[Any]) -> Any:
    return items if len(items) > 1 else (items[0] if items else None)


def _email(reading: _Reading, name: str, value: Any) -> None:
    _read_identifiers(
        reading, name, _split(value, _SEVERAL_EMAILS, lambda piece: "@" in piece), normalise_email, GLOBAL
    )


def _phone(reading: _Reading, name: str, value: Any) -> None:
    def read(text: str) -> Normalised:
        return normalise_phone(text, region=reading.region, fallback_regions=reading.fallback_regions)

    items = _split(value, _SEVERAL_PHONES, lambda piece: sum(map(str.isdigit, piece)) >= 9)
    _read_identifiers(reading, name, items, read, GLOBAL)


def _own_identifier(reading: _Reading, name: str, value: Any) -> None:
    _read_identifiers(reading, name, _as_list(value), _own_id, OWN)


def _own_id(raw: str) -> Normalised:
    text = ascii_digits(normalise_thai(raw))
    if len(text) > MAX_NAME_LENGTH:
        return Normalised.bad(text, raw, Problem.TOO_LONG)
    problem = placeholder_problem(text) or (Problem.JUNK if not text.strip("0-. ") else None)
    return Normalised.bad(text, raw, problem) if problem else Normalised.good(text, raw)


def _national_id(reading: _Reading, name: str, value: Any) -> None:
    """Landing has sealed it: ``{"hash": keyed hash, "last_four": "1234"}``. Clear numbers are dropped here."""
    if isinstance(value, dict) and isinstance(value.get("hash"), str) and isinstance(value.get("last_four"), str):
        problem = Problem(value["problem"]) if value.get("problem") in Problem._value2member_map_ else None
        sealed = Normalised(value["hash"], value["last_four"], evidence=problem is None, problem=problem)
        reading.identifiers.append(IdentifierCandidate(name, GLOBAL, sealed))
        reading.attributes[name] = value["last_four"]
        if problem:
            reading.problem(name, problem, value["last_four"])
        return
    reading.problem(name, Problem.UNSEALED, "")


def _birth_date(reading: _Reading, name: str, value: Any) -> None:
    text = _as_text(value)
    if text is None:
        reading.problem(name, Problem.WRONG_TYPE, value)
        reading.attributes[name] = value
        return
    day = normalise_date(text, order=reading.date_order, two_digit_years=reading.two_digit_years)
    reading.attributes[name] = day.value
    if day.problem:
        reading.problem(name, day.problem, text)


def _gender(reading: _Reading, name: str, value: Any) -> None:
    _text(reading, name, value)
    shown = reading.attributes[name]
    if isinstance(shown, str):
        reading.attributes[name] = _GENDERS.get(shown.casefold().strip(". "), shown)


def _text(reading: _Reading, name: str, value: Any) -> None:
    """A text of one line, or a list of such."""
    if isinstance(value, list):
        reading.attributes[name] = _list_or_one([_line(reading, name, item) for item in _first(reading, name, value)])
    else:
        reading.attributes[name] = _line(reading, name, value)


def _line(reading: _Reading, name: str, value: Any) -> Any:
    text = _as_text(value)
    if text is None:
        reading.problem(name, Problem.WRONG_TYPE, value)
        return value
    if len(text) > MAX_TEXT_LENGTH:
        reading.problem(name, Problem.TOO_LONG, text)
        return text
    text, problem = _tidied(text)
    if problem:
        reading.problem(name, problem, text)
    return text


@lru_cache(maxsize=32_768)
def _tidied(text: str) -> tuple[str, Problem | None]:
    text = normalise_thai(text)
    return text, placeholder_problem(text)


def _digits(reading: _Reading, name: str, value: Any) -> None:
    _text(reading, name, value)
    if isinstance(shown := reading.attributes[name], str):
        reading.attributes[name] = ascii_digits(shown)


_HANDLERS: Final[dict[str, Callable[[_Reading, str, Any], None]]] = {
    "email": _email, "phone": _phone, "line_id": _own_identifier, "member_id": _own_identifier,
    "national_id": _national_id, "birth_date": _birth_date, "gender": _gender, "postcode": _digits,
    **dict.fromkeys(
        ("first_name", "last_name", "middle_name", "name", "title", "nickname", "display_name", "address",
         "address_line2", "subdistrict", "district", "city", "province", "country"), _text),
}  # fmt: skip


# --- names -------------------------------------------------------------------------------------------------------


def _read_names(reading: _Reading) -> tuple[PersonName, ...]:
    """The message's names; what they show about title, first and last name goes into the attributes.

    ``name`` is never composed from its parts: a later message may bring one part alone, and the whole would be stale.
    """
    attributes = reading.attributes
    if not _NAME_TRAITS.intersection(attributes):
        return ()
    names = names_of(attributes)
    own = next((name for name in names if not name.display_only), None)
    if "name" in attributes and "first_name" not in attributes and "last_name" not in attributes:
        if own or attributes["name"] is None:
            attributes["first_name"] = own.first if own else None
            attributes["last_name"] = own.last if own else None
    elif own and own.first and isinstance(attributes.get("first_name"), str):
        attributes["first_name"] = own.first
        if own.last and attributes.get("last_name") is None:
            attributes["last_name"] = own.last  # a whole name in the field of the first
    if own and own.title and own.title not in COURTESY_TITLES and attributes.get("title") is None:
        attributes["title"] = own.title
    if "name" in attributes:
        attributes["name"] = _without_title("name", attributes["name"])
    if isinstance(attributes.get("first_name"), list):
        attributes["first_name"] = _without_title("first_name", attributes["first_name"])
    if isinstance(attributes.get("title"), str):
        attributes["title"] = split_title(attributes["title"])[0] or attributes["title"]
    return names


def _without_title(trait: str, value: Any) -> Any:
    if isinstance(value, list):
        return [_without_title(trait, item) for item in value]
    if not isinstance(value, str):
        return value
    name = person_name(value) if trait == "name" else person_name(first=value)
    if name is None:
        return value
    return name.full if trait == "name" else (name.first or value)


_NAME_TRAITS: Final = frozenset({"name", "first_name", "last_name", "display_name", "nickname"})
