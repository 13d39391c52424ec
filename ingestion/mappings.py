"""Saved mappings: named, versioned; presets ship with the product beside them."""

import re
from typing import Any

from django.db import models, transaction
from django.utils.translation import gettext as _

from cdp_site.core import audit
from cdp_site.core.errors import MendableError
from cdp_site.core.models import User
from ingestion.files import mapping, presets
from ingestion.models import FieldMapping, Source

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}")


@transaction.atomic
def save(*, name: str, definition: dict[str, Any], source: Source | None, by: User | str) -> FieldMapping:
    """The mapping of this name with this definition: the newest version if it says the same, else a new one.

    Raises InvalidMapping, or MendableError for a bad name.
    """
    mapping.parse(definition)
    if not _NAME.fullmatch(name):
        raise MendableError(_("A mapping's name has small Latin letters, digits, - and _."), field="mapping_name")
    newest = newest_of(name)
    if newest is not None and newest.definition == definition:
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


def find(name: str) -> dict[str, Any] | None:
    """The definition that goes by a name: the newest saved version, else the preset."""
    saved = newest_of(name)
    definition: dict[str, Any] | None = saved.definition if saved else presets.definition(name)
    return definition


def names_for(source: Source) -> list[str]:
    """Names of mappings saved for the source or for all, the last used first."""
    rows = (
        FieldMapping.objects.filter(models.Q(source=source) | models.Q(source__isnull=True))
        .values("name")
        .annotate(last=models.Max("created_at"))
        .order_by("-last", "name")
    )
    return [row["name"] for row in rows]
