"""The data map put together: every activity with its tables, every table with its fields."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.apps import apps
from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from cdp_site.core import personal_data
from cdp_site.core.errors import Text
from consent.data_map import stores, tables
from consent.data_map.activities import ACTIVITIES, MEASURES, RIGHTS, Activity
from consent.data_map.stores import Store
from consent.models import DataSubjectRequest
from consent.wording import TABLES as NAMES

CLASSES: Final[Mapping[str, Text]] = {
    personal_data.PERSONAL: _("personal"),
    personal_data.PSEUDONYMOUS: _("leads to a person"),
    personal_data.NONE: _("not personal"),
}
UNKNOWN: Final = "unknown"
"""Activity of a table that nobody has described yet."""


@dataclass(frozen=True, slots=True)
class Field:
    """A column. `kind` is a class of personal data; `kept` how long, in words."""

    name: str
    column: str
    type: str
    kind: str
    kept: Text

    @property
    def kind_text(self) -> Text:
        return CLASSES[self.kind]


@dataclass(frozen=True, slots=True)
class Table:
    """`label`: of the model; `holders`: which erase a person from it."""

    label: str
    name: str
    title: Text
    activity: str
    kept: Text
    holders: Sequence[str]
    fields: Sequence[Field]

    @property
    def personal_fields(self) -> list[Field]:
        return [field for field in self.fields if field.kind != personal_data.NONE]


@dataclass(frozen=True, slots=True)
class Part:
    """An activity with what belongs to it."""

    activity: Activity
    tables: Sequence[Table]
    stores: Sequence[Store]

    @property
    def categories(self) -> list[str]:
        """Names of the fields that are personal: the categories of data of the record of processing."""
        return sorted({field.name for table in self.tables for field in table.personal_fields})

    @property
    def files(self) -> list[tuple[Store, Text]]:
        """Stores with how long they are kept."""
        return [(store, store_kept(store)) for store in self.stores]


@dataclass(frozen=True, slots=True)
class DataMap:
    parts: Sequence[Part]
    undescribed: Sequence[Table]
    refusals: Mapping[str, int]

    @property
    def tables(self) -> list[Table]:
        return [table for part in self.parts for table in part.tables] + list(self.undescribed)


def build() -> DataMap:
    """The map as the code and the rules are now. A few queries for the rules and the refusals."""
    found = sorted(_tables(), key=lambda table: table.label)
    parts = [
        Part(
            activity,
            [table for table in found if table.activity == key],
            [store for store in stores.STORES if store.activity == key],
        )
        for key, activity in ACTIVITIES.items()
    ]
    return DataMap(parts, [table for table in found if table.activity == UNKNOWN], _refusals())


def _tables() -> Iterator[Table]:
    by_table: dict[str, list[str]] = {}
    for holder in personal_data.holders():
        for label in holder.tables:
            by_table.setdefault(label, []).append(holder.name)
    words: dict[str, Text] = {}
    own = set(personal_data.own_models())
    for model in apps.get_models(include_auto_created=True):
        if model._meta.managed and not model._meta.proxy:
            yield _table(model, words, by_table, is_own=model in own and not model._meta.auto_created)
    for name, (activity, code, title, columns) in tables.BARE.items():
        kept = tables.kept(code)
        fields = [Field(column, column, kind, personal_data.NONE, kept) for column, kind in columns.items()]
        yield Table(name, name, title, activity, kept, (), fields)


def _table(
    model: type[models.Model], words: dict[str, Text], holders: Mapping[str, Sequence[str]], *, is_own: bool
) -> Table:
    label = model._meta.label
    activity, kept = tables.TABLES.get(label, (UNKNOWN, ""))
    kinds = personal_data.classification_of(model) if is_own else {}

    def said(code: str) -> Text:
        if code and code not in words:
            words[code] = tables.kept(code)
        return words.get(code, "")

    fields = [
        Field(
            name=field.name,
            column=str(field.column),
            type=field.get_internal_type(),
            kind=kinds.get(field.name, personal_data.NONE),
            kept=said(tables.FIELDS.get((label, field.name), kept)),
        )
        for field in model._meta.concrete_fields
    ]
    title = NAMES.get(label) or label
    return Table(label, model._meta.db_table, title, activity, said(kept), holders.get(label, ()), fields)


def _refusals() -> dict[str, int]:
    """Requests that were refused, by their ground: they belong into the record (PDPA s.39(7))."""
    refused = DataSubjectRequest.objects.filter(status=DataSubjectRequest.Status.REFUSED)
    counted = refused.values_list("refusal_reason").annotate(n=models.Count("pk")).order_by("refusal_reason")
    labels = dict(DataSubjectRequest.Refusal.choices)
    return {str(labels.get(reason, reason)): n for reason, n in counted}


def as_data(found: DataMap) -> dict[str, Any]:
    """The map for a program, in the reader's language."""
    return {
        "type": "record-of-processing",
        "version": 1,
        "controller": settings.COMPANY_NAME,
        "made_at": timezone.now().isoformat(timespec="seconds"),
        "rights": str(RIGHTS),
        "measures": str(MEASURES),
        "refused_requests": dict(found.refusals),
        "activities": [
            {
                "key": part.activity.key,
                "title": str(part.activity.title),
                "purpose": str(part.activity.purpose),
                "ground": str(part.activity.ground),
                "law": str(part.activity.law),
                "whose": str(part.activity.whose),
                "recipients": str(part.activity.recipients),
                "tables": [_table_as_data(table) for table in part.tables],
                "files": [
                    {"place": store.place, "what": str(store.what), "kept": str(kept)} for store, kept in part.files
                ],
            }
            for part in found.parts
        ],
    }


def _table_as_data(table: Table) -> dict[str, Any]:
    return {
        "table": table.name,
        "label": table.label,
        "title": str(table.title),
        "kept": str(table.kept),
        "erased_by": list(table.holders),
        "fields": [
            {"field": one.name, "column": one.column, "type": one.type, "class": one.kind, "kept": str(one.kept)}
            for one in table.fields
        ],
    }


def store_kept(store: Store) -> Text:
    return store.words or tables.kept(store.kept)
