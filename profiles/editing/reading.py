"""What somebody typed into the form of a trait, as ingestion would keep it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from cdp_site.core.errors import MendableError, Text
from ingestion.files.problems import VALUE_TEXTS
from ingestion.normalise.dates import normalise_date
from ingestion.normalise.text import clean, unusable
from ingestion.normalise.thai import ascii_digits, normalise_thai
from ingestion.normalise.traits import IdentifierCandidate, normalise_traits
from ingestion.normalise.values import Problem, placeholder_problem
from profiles.editing.fields import Editable, Field
from profiles.models import Trait
from profiles.reading import FALLBACK_REGIONS

LONGEST = 500  # characters of one trait
# A switchboard's number reaches the customer, too; it speaks for nobody's identity.
_USABLE = frozenset({Problem.SWITCHBOARD})


class Unreadable(MendableError):
    """Some of the values cannot be kept; `problems`: trait → why."""

    status = 422
    code = "unreadable"

    def __init__(self, problems: Mapping[str, Text]) -> None:
        super().__init__(next(iter(problems.values())), field=next(iter(problems)))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Typed:
    """What was typed. `values`: trait → normalised value, None when it was emptied; a hidden value that nobody typed
    over is not in it."""

    values: Mapping[str, Any]
    identifiers: tuple[IdentifierCandidate, ...] = field(default=())


def read(editable: Editable, said: Mapping[str, str]) -> Typed:
    """Raises Unreadable with every value that cannot be kept."""
    values: dict[str, Any] = {}
    stated: dict[str, str] = {}  # for ingestion to read
    problems: dict[str, Text] = {}
    for one in editable.fields:
        name = one.trait.name
        text = said.get(name)
        if text is None:
            continue
        if len(text) > LONGEST or unusable(text) is not None:
            problems[name] = VALUE_TEXTS[Problem.TOO_LONG if len(text) > LONGEST else Problem.MALFORMED]
        elif text := normalise_thai(clean(text)):
            value, problem = _own(one, text)
            if problem is not None:
                problems[name] = problem
            elif value is None:
                stated[name] = text
            else:
                values[name] = value
        elif not one.is_hidden:
            values[name] = None
    normalised = normalise_traits(stated, region=settings.COMPANY_PHONE_REGION, fallback_regions=FALLBACK_REGIONS)
    for trait, code, _raw in normalised.problems:
        if code not in _USABLE:
            problems.setdefault(trait, VALUE_TEXTS[code])
    if problems:
        raise Unreadable(problems)
    values.update((name, value) for name, value in normalised.attributes.items() if name in stated)
    # A title that was typed before the name goes where titles are.
    if normalised.attributes.get("title") and "title" in editable.names and not values.get("title"):
        values["title"] = normalised.attributes["title"]
    return Typed(values, normalised.identifiers)


def _own(one: Field, text: str) -> tuple[Any, Text | None]:
    """The value of a kind that ingestion takes as it comes, or why it cannot be one; (None, None): ingestion's own."""
    if one.choices:
        if text not in dict(one.choices):
            return None, _("Choose one of the list.")
        return (text == "True" if one.trait.data_type == Trait.DataType.BOOLEAN else text), None
    if one.trait.data_type == Trait.DataType.NUMBER:
        return _number(text)
    if one.trait.data_type == Trait.DataType.DATE:
        day = normalise_date(text)
        return day.value, None if day.problem is None else VALUE_TEXTS[day.problem]
    if one.trait.data_type == Trait.DataType.LIST:
        return [part for piece in text.split(",") if (part := piece.strip())] or None, None
    problem = placeholder_problem(text)
    return None, None if problem is None else VALUE_TEXTS[problem]


def _number(text: str) -> tuple[Any, Text | None]:
    digits = ascii_digits(text).replace(",", "").replace(" ", "")
    try:
        number = float(digits)
    except ValueError:
        return None, _("A number is needed here.")
    if number - number != 0 or abs(number) >= 1e15:  # neither infinite nor more than is kept exactly
        return None, _("A number is needed here.")
    return (int(number) if number.is_integer() else number), None
