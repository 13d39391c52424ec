"""What may be changed on a customer's page, and what stands there for this viewer."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import msgspec
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from cdp_site.core.access import scope_of
from cdp_site.core.hashing import keyed
from cdp_site.core.models import User
from cdp_site.core.templatetags.formats import BUDDHIST_ERA
from ingestion.models import Source
from ingestion.normalise.identifier_kinds import KIND_OF_TRAIT
from profiles import masking, overview
from profiles.labels import VALUES, value_label
from profiles.models import KindOfData, Profile, SourceRecord, Trait
from profiles.survivorship import ADDRESS_PARTS, NAME_PARTS, SINGULAR, Winner, unit_of

# Stated by their system alone: a number that an agent types has no namespace, and a national id is never kept in clear.
OF_SYSTEMS = frozenset({*KIND_OF_TRAIT, "citizen_id_last4", "passport"}) - {"email", "phone"}
# What a form asks for although nobody has said it yet; other parts are asked for when there is a value.
_ASKED = {
    NAME_PARTS: ("title", "first_name", "last_name"),
    ADDRESS_PARTS: ("address", "district", "province", "postcode"),
}
_WHOLE_NAME = frozenset({"name"})
_MOST_ADDABLE = 200  # traits in the list to choose from; standard ones come first


@dataclass(frozen=True, slots=True)
class Field:
    """A trait in a form. `text` stands in the input; of what the viewer may not read it is empty and `hidden` shows the
    masked value. `choices`: value → label, when only these are possible."""

    trait: Trait
    text: str
    hidden: str = ""
    choices: Sequence[tuple[str, str]] = ()

    @property
    def is_hidden(self) -> bool:
        return bool(self.hidden)


@dataclass(frozen=True, slots=True)
class Editable:
    """Traits that are changed together, as they are for this viewer.

    `values` holds what the winning record says, hidden parts included. `version` changes with any of it and tells
    nothing of it.
    """

    trait: Trait
    fields: Sequence[Field]
    values: Mapping[str, Any]
    version: str
    source: Source | None = None
    record: SourceRecord | None = None
    at: datetime | None = None
    is_pinned: bool = False

    @property
    def source_name(self) -> str:
        """Who says what stands there; "" when nobody does."""
        return "" if self.source is None else overview.source_name(self.source)

    @property
    def names(self) -> frozenset[str]:
        """Names of the traits in the form."""
        return frozenset(field.trait.name for field in self.fields)


def is_editable(trait: Trait) -> bool:
    """Whether people may change it: what only a system can know, and what behaviour says, they may not."""
    return trait.name not in OF_SYSTEMS and trait.group.kind_of_data != KindOfData.BEHAVIOURAL


def load(profile: Profile, name: str, *, by: User) -> Editable | None:
    """What the viewer may change together with this trait; None for what is not theirs to see or nobody's to change.

    Three queries beside the scope and whether the customer is open.
    """
    scope = scope_of(by)
    shows = masking.shows_identifiers(by, profile.pk)
    unit = unit_of(name)
    known = Trait.objects.filter(name__in=unit).select_related("group")
    traits = {one.name: one for one in known if scope.sees_trait_group(one.group.slug)}
    trait = traits.get(name)
    if trait is None or not is_editable(trait):
        return None
    records = overview.records_of([profile], scope)[profile.pk]
    winners = overview.golden_of(records, overview.traits_of(records), scope)
    found = {part: winners[part] for part in unit if part in winners}
    values = _values(found, records)
    if isinstance(values.get(name), dict):
        return None
    asked = _asked(unit, found)
    fields = [_field(traits[part], values.get(part), shows=shows) for part in unit if part in asked and part in traits]
    if not any(field.trait.name == name for field in fields):
        return None
    version = _version(profile, unit, values)
    if not found:
        return Editable(trait, fields, values, version)
    best = next(iter(found.values())).candidate
    (record,) = (one for one in records if one.pk == best.record_id)
    at = max(winner.candidate.observed_at for winner in found.values())
    pinned = any(winner.candidate.pinned for winner in found.values())
    return Editable(trait, fields, values, version, record.source, record, at, pinned)


def addable(profile: Profile, *, by: User) -> list[Trait]:
    """Traits that may be stated although nobody has yet, in the order of the page; of a name or an address the first
    part stands for the whole. Two queries beside the scope."""
    scope = scope_of(by)
    records = overview.records_of([profile], scope)[profile.pk]
    known = {unit_of(name) for record in records for name, value in record.attributes.items() if value}
    found: dict[tuple[str, ...], Trait] = {}
    every = Trait.objects.select_related("group").order_by("group__position", "position", "name")
    for trait in every[:_MOST_ADDABLE]:
        unit = unit_of(trait.name)
        is_asked = unit not in _ASKED or trait.name in _ASKED[unit]
        if unit not in known and is_asked and is_editable(trait) and scope.sees_trait_group(trait.group.slug):
            found.setdefault(unit, trait)
    return list(found.values())


def _values(found: Mapping[str, Winner], records: Collection[SourceRecord]) -> dict[str, Any]:
    """What the winning record says of the unit, with parts that the viewer does not see: they stay with the rest."""
    if not found:
        return {}
    best = next(iter(found.values())).candidate
    (record,) = (one for one in records if one.pk == best.record_id)
    return {part: record.attributes[part] for part in unit_of(best.trait) if record.attributes.get(part)}


def _asked(unit: tuple[str, ...], found: Mapping[str, Winner]) -> frozenset[str]:
    if unit not in _ASKED:
        return frozenset(unit)
    if unit == NAME_PARTS and "name" in found and not found.keys() & {"first_name", "last_name"}:
        return frozenset({"title", "name"})
    # A whole name beside its parts repeats them: it is not asked for, and goes when they change.
    without = _WHOLE_NAME if unit == NAME_PARTS else frozenset()
    return frozenset({*_ASKED[unit], *found} - without)


def _field(trait: Trait, value: Any, *, shows: bool) -> Field:
    choices = _choices(trait, value)
    text = shown_text(trait, value)
    (read,) = masking.shown(trait.name, [text], shows=shows)
    if read != text:
        return Field(trait, "", read, choices)
    return Field(trait, str(value) if choices and value is not None else text, "", choices)


def _choices(trait: Trait, value: Any) -> list[tuple[str, str]]:
    if trait.data_type == Trait.DataType.BOOLEAN:
        return [("", ""), ("True", _("yes")), ("False", _("no"))]
    known = VALUES.get(trait.name)
    if known is None:
        return []
    others = [(str(value), str(value))] if value and str(value) not in known else []
    return [("", ""), *((code, str(label)) for code, label in known.items()), *others]


def shown_text(trait: Trait, value: Any) -> str:
    """A value as it stands in an input, in the reader's calendar."""
    if value is None:
        return ""
    if isinstance(value, list):
        kept = value if trait.name not in SINGULAR or trait.name in ("email", "phone") else value[:1]
        return ", ".join(shown_text(trait, one) for one in kept)
    if trait.data_type == Trait.DataType.DATE:
        return _day(str(value))
    return value_label("phone", str(value)) if trait.name == "phone" else str(value)


def _day(text: str) -> str:
    try:
        day = date.fromisoformat(text[:10])
    except ValueError:
        return text
    year = day.year + BUDDHIST_ERA if (get_language() or "").startswith("th") else day.year
    return f"{day.day:02}/{day.month:02}/{year}"


def _version(profile: Profile, unit: tuple[str, ...], values: Mapping[str, Any]) -> str:
    said = msgspec.json.encode([profile.pk, unit, values], order="deterministic").decode()
    return keyed(said, purpose="edit.version").hex()[:32]
