"""Computed traits as pages show them: with their sentence, their values in words, and what uses them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any as Json

from django.utils import timezone, translation
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from cdp_site.core.access import scope_of
from cdp_site.core.models import User
from cdp_site.core.templatetags.formats import money
from profiles import masking
from profiles.channels import ICONS, TouchChannel
from profiles.models import Profile, Trait
from segments import audience, catalogue
from segments.definition.words import Names
from segments.models import ComputedTrait, ComputedTraitVersion
from segments.traits import reading, usage
from segments.traits.formula import OF_NUMBERS, OF_ORDERS, Calculation, Formula, days_since
from segments.traits.reader import serialise
from segments.traits.reading import Known, Seen
from segments.traits.wording import WORDINGS, sentence

C = Calculation
NOTHING = "–"


@dataclass(frozen=True, slots=True)
class Line:
    """A value: `text`, or a moment `at`. `channel` and `icon` are empty for the value of all channels."""

    text: str
    at: datetime | None = None
    channel: str = ""
    icon: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """A computed trait of a customer. Without lines nothing is known yet."""

    trait: ComputedTrait
    sentence: str
    lines: Sequence[Line]


@dataclass(frozen=True, slots=True)
class Listed:
    """A computed trait in the list: with its sentence, and how many segments ask for it."""

    trait: ComputedTrait
    sentence: str
    uses: int


def listed(*, by: User, is_archived: bool = False) -> list[Listed]:
    """Those of which the reader sees all that they rest on. Four queries."""
    visible = ComputedTrait.objects.visible_to(by).select_related("group")
    seen = Seen(visible.archived() if is_archived else visible.in_use(), scope_of(by))
    uses = usage.counts()
    return [Listed(known.trait, in_words(known.formula, seen.names), uses[known.trait.slug]) for known in seen.known]


def sentences(known: Known, *, by: User) -> list[tuple[str, str]]:
    """(language, sentence), the reader's own language first."""
    return sentences_of(known.formula, by=by)


def sentences_of(formula: Formula, *, by: User) -> list[tuple[str, str]]:
    """The same of one that is not stored yet."""
    own, found = current_language(), []
    for language in (own, *(code for code in catalogue.LANGUAGES if code != own)):
        with translation.override(language):
            seen = Seen([ComputedTrait(definition=serialise(formula))], scope_of(by))
            found.append((language, sentence(formula, language, seen.names)))
    return found


@dataclass(frozen=True, slots=True)
class Earlier:
    """A definition that a trait had; without a sentence where it cannot be told to the reader."""

    version: ComputedTraitVersion
    sentence: str


def versions(trait: ComputedTrait, *, by: User) -> list[Earlier]:
    """What it was before, the latest first. Five queries at most."""
    earlier = list(trait.versions.exclude(version=trait.version).order_by("-version"))
    # Each as if it were a trait of its own, so that one lens sees all of them.
    seen = Seen([ComputedTrait(pk=one.version, definition=one.definition) for one in earlier], scope_of(by))
    told = {known.trait.pk: in_words(known.formula, seen.names) for known in seen.known}
    return [Earlier(one, told.get(one.version, "")) for one in earlier]


def of_customer(profile: Profile, *, by: User) -> list[Shown]:
    """What was worked out about a customer, as far as the reader sees what it rests on. Five queries at most beside the
    scope and whether identifiers are shown."""
    now = timezone.now()
    seen = reading.seen(scope_of(by))
    if not seen.known:
        return []
    values = seen.values_of(profile, now=now)
    shows = masking.shows_identifiers(by, profile.pk)
    return [
        Shown(
            known.trait,
            in_words(known.formula, seen.names),
            list(_lines(known, values.get(known.trait.pk), now, shows)),
        )
        for known in seen.known
    ]


def in_words(formula: Formula, names: Names) -> str:
    """The sentence of a formula in the current language."""
    return sentence(formula, current_language(), names)


def current_language() -> str:
    return next(code for code, words in catalogue.LANGUAGES.items() if words is catalogue.words())


def calculations(*, of_orders: bool) -> dict[str, str]:
    """What can be computed, of orders as a whole or of anything else, as the form lists it."""
    labels = WORDINGS[current_language()].calculations
    return {one.value: labels[one] for one in C if one in OF_ORDERS or not of_orders}


def _lines(known: Known, stored: Json, now: datetime, shows: bool) -> Iterator[Line]:
    if not known.formula.per_channel:
        yield _line(known, known.formula.of_none if stored is None else stored, now, shows)
        return
    for channel in TouchChannel:
        if isinstance(stored, dict) and channel.value in stored:
            line = _line(known, stored[channel.value], now, shows)
            yield Line(line.text, line.at, str(channel.label), ICONS[channel])


def _line(known: Known, value: Json, now: datetime, shows: bool) -> Line:
    formula = known.formula
    if value is None:
        return Line(NOTHING)
    match formula.calculation:
        case C.FIRST_TIME | C.LAST_TIME:
            return Line("", datetime.fromisoformat(value))
        case C.DAYS_SINCE:
            n = days_since(value, timezone.localdate(now), audience.company_time_zone())
            return Line(ngettext("%(n)d day", "%(n)d days", n) % {"n": n} if n else _("today"))
        case calculation if calculation in OF_NUMBERS | {C.COUNT, C.DISTINCT}:
            return Line(amount(formula, Decimal(str(value))))
    texts = [_text(one, known.trait.data_type) for one in (value if isinstance(value, list) else [value])]
    return Line(masking.readable(", ".join(texts), shows=shows))


def amount(formula: Formula, number: Decimal) -> str:
    """A number of what the formula counts, or money."""
    if formula.orders is not None and formula.calculation is not C.COUNT:
        return money(number, formula.orders.currency)
    return _number(number)


def _number(number: Decimal) -> str:
    return str(number_format(number.normalize() if number % 1 else int(number), use_l10n=True, force_grouping=True))


def _text(value: Json, data_type: str) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, int | float) and data_type == Trait.DataType.NUMBER:
        return _number(Decimal(str(value)))
    return str(value)
