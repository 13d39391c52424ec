"""Writing computed traits down: new ones, new definitions, the end of one and its return."""

import re
from typing import Any as Json

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from cdp_site.core import audit
from cdp_site.core.access import scope_of
from cdp_site.core.errors import ConflictProblem
from cdp_site.core.models import User
from profiles.models import Trait, TraitGroup
from segments import catalogue, overtaking
from segments.definition.fields import Fields, FieldType
from segments.models import ComputedTrait, ComputedTraitVersion, ComputedValue
from segments.traits import usage
from segments.traits.formula import Calculation, Formula
from segments.traits.reader import fields_of, named_in, parse, serialise

C = Calculation
MOST_IN_USE = 100
"""Traits that are computed at a time: each touches everybody each night."""


class NameTakenProblem(ConflictProblem):
    code = "name_taken"

    def __init__(self) -> None:
        super().__init__(
            _("There is a computed trait of this name in this group already."),
            field="name",
            hint=_("Choose another name."),
        )


class TooManyProblem(ConflictProblem):
    code = "too_many_computed_traits"

    def __init__(self) -> None:
        super().__init__(
            _("%(n)d computed traits are in use already.") % {"n": MOST_IN_USE}, hint=_("Archive one that nobody uses.")
        )


class InUseProblem(ConflictProblem):
    code = "computed_trait_in_use"

    def __init__(self, n: int) -> None:
        super().__init__(
            ngettext("A segment asks for this trait.", "%(n)d segments ask for this trait.", n) % {"n": n},
            hint=_("Change or archive what asks for it first."),
        )


@transaction.atomic
def create(
    *, name: str, name_th: str, description: str, group: TraitGroup, definition: Json, by: User
) -> ComputedTrait:
    """A new trait, in version 1; the keeper computes everybody's value. Raises DefinitionProblem, NameTakenProblem and
    TooManyProblem."""
    _refuse_too_many()
    fields = catalogue.fields_of(scope_of(by), definition)
    formula = parse(definition, fields)
    trait = ComputedTrait(
        slug=_free_slug(name),
        name=name,
        name_th=name_th,
        description=description,
        group=group,
        definition=serialise(formula),
        data_type=data_type(formula, fields),
        created_by=by,
    )
    _save(trait)
    _keep_version(trait, by)
    audit.record(action="computed_trait.create", target=trait, by=by, fields=["name", "group", "definition"])
    return trait


def edition(trait: ComputedTrait) -> str:
    """Of what its author writes."""
    return overtaking.edition(trait.version, trait.name, trait.name_th, trait.description, trait.group_id)


@transaction.atomic
def change(
    *,
    trait: ComputedTrait,
    name: str,
    name_th: str,
    description: str,
    group: TraitGroup,
    definition: Json,
    by: User,
    seen: str | None = None,
) -> ComputedTrait:
    """The trait with what is given; another definition is a new version, by which everybody's value is computed anew.

    Args:
        seen: the `edition` that the author began from; None: whatever stands.

    Raises DefinitionProblem, NameTakenProblem and OvertakenProblem.
    """
    current: ComputedTrait = ComputedTrait.objects.select_for_update().get(pk=trait.pk)
    overtaking.refuse(seen, edition(current))
    fields = catalogue.fields_of(scope_of(by), definition, kept=named_in(current.definition))
    formula = parse(definition, fields)
    new = {
        "name": name,
        "name_th": name_th,
        "description": description,
        "group": group,
        "definition": serialise(formula),
    }
    changed = [field for field, value in new.items() if getattr(current, field) != value]
    if not changed:
        return current
    for field in changed:
        setattr(current, field, new[field])
    if "definition" in changed:
        current.version += 1
        current.data_type = data_type(formula, fields)
        current.due_at, current.computed_to = timezone.now(), 0
    _save(current)
    if "definition" in changed:
        _keep_version(current, by)
        usage.ask_again(current)
    audit.record(action="computed_trait.change", target=current, by=by, fields=changed)
    return current


@transaction.atomic
def archive(*, trait: ComputedTrait, by: User) -> None:
    """The trait is no longer computed and its values go; its definition stays. Raises InUseProblem."""
    current: ComputedTrait = ComputedTrait.objects.select_for_update().get(pk=trait.pk)
    if current.archived_at is not None:
        return
    asking = usage.counts()[current.slug]
    if asking:
        raise InUseProblem(asking)
    current.archived_at = timezone.now()
    current.computed_version = 0
    current.save(update_fields=["archived_at", "computed_version", "changed_at"])
    ComputedValue.objects.filter(trait=current).delete()
    audit.record(action="computed_trait.archive", target=current, by=by)


@transaction.atomic
def restore(*, trait: ComputedTrait, by: User) -> None:
    """An archived trait is computed again, for everybody, by its last definition. Raises TooManyProblem."""
    current: ComputedTrait = ComputedTrait.objects.select_for_update().get(pk=trait.pk)
    if current.archived_at is None:
        return
    _refuse_too_many()
    current.archived_at = None
    current.due_at, current.computed_to = timezone.now(), 0
    current.save(update_fields=["archived_at", "due_at", "computed_to", "changed_at"])
    audit.record(action="computed_trait.restore", target=current, by=by)


_OF_NUMBER = frozenset({C.COUNT, C.SUM, C.AVERAGE, C.SMALLEST, C.LARGEST, C.DISTINCT, C.DAYS_SINCE})
_OF_PROPERTY = {
    FieldType.NUMBER: Trait.DataType.NUMBER,
    FieldType.DATE: Trait.DataType.DATE,
    FieldType.BOOLEAN: Trait.DataType.BOOLEAN,
}


def data_type(formula: Formula, fields: Fields) -> str:
    """Of what kind the values are; those of a property are of the property's kind, where all its events agree."""
    if formula.calculation in _OF_NUMBER:
        return Trait.DataType.NUMBER
    if formula.calculation in (C.FIRST_TIME, C.LAST_TIME):
        return Trait.DataType.DATE
    if formula.calculation is C.UNIQUE_LIST:
        return Trait.DataType.LIST
    kinds = {one.type for one in fields_of(formula.property_name, formula.events, fields) or ()}
    return _OF_PROPERTY.get(kinds.pop(), Trait.DataType.TEXT) if len(kinds) == 1 else Trait.DataType.TEXT


def _refuse_too_many() -> None:
    if ComputedTrait.objects.in_use().count() >= MOST_IN_USE:
        raise TooManyProblem


def _free_slug(name: str) -> str:
    """What definitions will call it for ever: the name in small Latin letters, with a number where it is taken."""
    latin = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")[:50]
    slug = latin if latin[:1].isalpha() else f"trait_{latin}".strip("_")
    taken = set(ComputedTrait.objects.filter(slug__startswith=slug).values_list("slug", flat=True))
    candidates = (slug, *(f"{slug}_{n}" for n in range(2, len(taken) + 3)))
    return next(one for one in candidates if one not in taken)


def _save(trait: ComputedTrait) -> None:
    try:
        with transaction.atomic():
            trait.save()
    except IntegrityError as error:
        raise NameTakenProblem from error


def _keep_version(trait: ComputedTrait, by: User) -> None:
    ComputedTraitVersion.objects.create(
        trait=trait, version=trait.version, definition=trait.definition, actor=audit.actor_name(by)
    )
