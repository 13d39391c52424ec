"""Saved mappings: named, versioned; presets ship with the product beside them."""

import re
from collections.abc import Collection, Mapping
from typing import Any

from django.db import models, transaction
from django.utils.translation import gettext as _

from cdp_site.core import audit
from cdp_site.core.errors import MendableError
from cdp_site.core.models import User
from ingestion.files import mapping, presets
from ingestion.models import FieldMapping, Source

LONGEST_NAME = 60
MOST_TRIED = 20  # mappings of a source that are tried on a new file
_NAME = re.compile(rf"[a-z0-9][a-z0-9_-]{{0,{LONGEST_NAME - 1}}}")


@transaction.atomic
def save(*, name: str, definition: dict[str, Any], source: Source | None, by: User | str) -> FieldMapping:
    """The mapping of this name with this definition: the newest version if it says the same, else a new one.

    Raises InvalidMapping, or MendableError for a bad name.
    """
    mapping.parse(definition)
    definition = definition | {"version": mapping.VERSION}
    if not _NAME.fullmatch(name):
        raise MendableError(_("A mapping's name has small Latin letters, digits, - and _."), field="mapping_name")
    newest = newest_of(name)
    if newest is not None and newest.definition | {"version": mapping.VERSION} == definition:
        return newest
    saved = FieldMapping.objects.create(
        name=name,
        version=1 if newest is None else newest.version + 1,
        source=source,
        definition=definition,
        created_by=by if isinstance(by, User) else None,
    )
    audit.record(action="mapping.save", target=saved, by=by, fields=["definition"])
    return saved


def newest_of(name: str) -> FieldMapping | None:
    return FieldMapping.objects.filter(name=name).order_by("-version").first()


def find(name: str, columns: Collection[str] = ()) -> dict[str, Any] | None:
    """The definition that goes by a name, for a file of these columns: the newest saved version, else the preset (also
    where a preset was saved for a file of other columns)."""
    saved = newest_of(name)
    preset = presets.definition(name, columns)
    definition: dict[str, Any] | None = preset if saved is None else saved.definition
    if preset is not None and columns and definition is not None and not fits(definition, columns):
        return preset
    return definition


def fits(definition: Mapping[str, Any], columns: Collection[str]) -> bool:
    """Whether a file of these columns has all that the definition reads."""
    return set(mapping.parse(definition).columns) <= set(columns)


def fitting(source: Source, columns: Collection[str]) -> str | None:
    """Name of the mapping that the source used last of those that read nothing but these columns."""
    for name in names_for(source)[:MOST_TRIED]:
        saved = newest_of(name)
        if saved is not None and saved.source_id == source.pk and fits(saved.definition, columns):
            return name
    return None


def all_names() -> list[str]:
    """Names of all saved mappings, in their order."""
    return list(FieldMapping.objects.order_by("name").values_list("name", flat=True).distinct())


def names_for(source: Source) -> list[str]:
    """Names of mappings saved for the source or for all, the last used first."""
    rows = (
        FieldMapping.objects.filter(models.Q(source=source) | models.Q(source__isnull=True))
        .values("name")
        .annotate(last=models.Max("created_at"))
        .order_by("-last", "name")
    )
    return [row["name"] for row in rows]
