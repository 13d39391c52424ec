"""The parts of the configuration: which rows of which table, known by what, and which of their fields.

A row is known by names that mean the same on every installation, never by a number of this database.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from django.contrib.contenttypes.models import ContentType
from django.db import models
from guardian.models import GroupObjectPermission
from guardian.shortcuts import assign_perm

from cdp_site.core.models import Department
from consent.models import KeepingRule, Notice, Purpose
from ingestion.models import CorrectionRule, FieldMapping, PlanSchema, RetentionRule, Source, WatchRule
from profiles.models import EventType, ExchangeRate, Synonym, Term, Trait, TraitGroup

Row = dict[str, Any]


@dataclass(frozen=True)
class Section:
    """
    Attributes:
        key: fields by which a row is known; a foreign key stands by the key of the row that it leads to.
        fields: what else is taken over.
        fixed: of them, those that never change once the row is there: a version is what it was.
        switch: of versions at most one is on: those that are off in the file are written first.
    """

    name: str
    model: type[models.Model]
    key: tuple[str, ...]
    fields: tuple[str, ...]
    fixed: frozenset[str] = frozenset()
    switch: str = ""

    def rows(self) -> list[models.Model]:
        """All of them, in the order of their keys."""
        found = self.model._default_manager.all()
        return sorted(found, key=lambda row: repr([_stated(row, name) for name in self.key]))

    def state(self, row: models.Model) -> Row:
        """The row as the file says it."""
        return {name: _stated(row, name) for name in (*self.key, *self.fields)}

    def find(self, wanted: Row) -> models.Model | None:
        """The row of that key. Raises LookupError when what the key leads to is not there."""
        return self.model._default_manager.filter(**_filters(self.model, wanted, self.key)).first()

    def write(self, row: models.Model | None, wanted: Row) -> tuple[models.Model, list[str]]:
        """Create or change it; returns it with the names of the changed fields.

        Raises:
            LookupError: it leads to something that is not there.
            FixedError: it would change what never changes.
            ValidationError, by the field.
        """
        before = self.state(row) if row is not None else {}
        changed = [name for name in wanted if name not in before or before[name] != wanted[name]]
        if row is not None and (clash := self.fixed.intersection(changed)):
            raise FixedError(sorted(clash))
        if changed or row is None:
            row = row if row is not None else self.model()
            for name in changed:
                _set(row, name, wanted[name])
            row.full_clean(exclude=_passing(self.model, wanted))
            row.save()
        return row, changed


class FixedError(Exception):
    """A version that is there already says something else; `fields` tells where."""

    def __init__(self, fields: list[str]) -> None:
        super().__init__(", ".join(fields))
        self.fields = fields


def _stated(row: models.Model, name: str) -> Any:
    field = row._meta.get_field(name)
    if isinstance(field, models.ForeignKey):
        related = getattr(row, name)
        return None if related is None else _name_of(related)
    value = field.value_from_object(row)  # type: ignore[union-attr]
    is_plain = value is None or isinstance(value, str | bool | int | float | list | dict)
    return value if is_plain else str(value)


def _name_of(row: models.Model) -> Any:
    """By what a row is known: a single name, or a list of them."""
    names = [_stated(row, name) for name in KEYS[type(row)]]
    return names[0] if len(names) == 1 else names


def _related(model: type[models.Model], stated: Any) -> models.Model:
    key = KEYS[model]
    parts = stated if isinstance(stated, list) and len(key) > 1 else [stated]
    found = model._default_manager.filter(**dict(zip(key, parts, strict=True))).first()
    if found is None:
        raise LookupError(f"{model._meta.verbose_name} {stated!r}")
    return found


def _filters(model: type[models.Model], wanted: Row, names: tuple[str, ...]) -> Row:
    found: Row = {}
    for name in names:
        field = model._meta.get_field(name)
        if wanted[name] is None:
            found[f"{name}__isnull"] = True
        elif isinstance(field, models.ForeignKey):
            found[name] = _related(field.related_model, wanted[name])
        else:
            found[name] = wanted[name]
    return found


def _set(row: models.Model, name: str, stated: Any) -> None:
    field = row._meta.get_field(name)
    if isinstance(field, models.ForeignKey):
        setattr(row, name, None if stated is None else _related(field.related_model, stated))
    else:
        setattr(row, name, stated if isinstance(field, models.JSONField) else field.to_python(stated))  # type: ignore[union-attr]


def _passing(model: type[models.Model], wanted: Row) -> set[str]:
    """Fields that are not looked at: the file does not speak of them, or says that there is nothing."""
    return {
        field.name
        for field in model._meta.concrete_fields
        if field.name not in wanted or (field.null and wanted[field.name] is None)
    }


KEYS: Final[dict[type[models.Model], tuple[str, ...]]] = {
    Department: ("slug",),
    Source: ("slug",),
    TraitGroup: ("slug",),
    Trait: ("name",),
    EventType: ("name",),
    Purpose: ("slug",),
    Term: ("attribute", "label"),
}
_WATCHED: Final = (
    *("silence", "silence_hours", "quarantine", "quarantine_percent", "backlog", "backlog_minutes"),
    *("imports", "clock", "clock_minutes"),
)
_NAMES: Final = ("name", "name_th")


@dataclass(frozen=True)
class GrantSection(Section):
    """Which departments see what belongs to another: django-guardian's grants on containers."""

    def rows(self) -> list[models.Model]:
        found = GroupObjectPermission.objects.filter(group__department__isnull=False, content_type__in=_containers())
        return sorted(found, key=lambda row: repr(self.state(row)))

    def state(self, row: models.Model) -> Row:
        if not isinstance(row, GroupObjectPermission):
            raise TypeError(type(row))
        model = next(one for one in _CONTAINERS if one._meta.model_name == row.content_type.model)
        return {
            "department": row.group.department.slug,
            "kind": row.content_type.model,
            "container": _name_of(model._default_manager.get(pk=row.object_pk)),
        }

    def find(self, wanted: Row) -> models.Model | None:
        return next((row for row in self.rows() if self.state(row) == wanted), None)

    def write(self, row: models.Model | None, wanted: Row) -> tuple[models.Model, list[str]]:
        if row is not None:
            return row, []
        department = _related(Department, wanted["department"])
        model = next((one for one in _CONTAINERS if one._meta.model_name == wanted["kind"]), None)
        if model is None or not isinstance(department, Department):
            raise LookupError(f"kind {wanted['kind']!r}")
        container = _related(model, wanted["container"])
        permission = f"view_{wanted['kind']}"
        assign_perm(permission, department.group, container)
        granted = GroupObjectPermission.objects.filter(group=department.group, permission__codename=permission)
        return granted.get(object_pk=container.pk), ["view"]


_CONTAINERS: Final[tuple[type[models.Model], ...]] = (Source, EventType, TraitGroup)


def _containers() -> list[ContentType]:
    return list(ContentType.objects.get_for_models(*_CONTAINERS).values())


SECTIONS: Final = (
    Section("departments", Department, ("slug",), _NAMES),
    Section(
        "sources",
        Source,
        ("slug",),
        ("name", "kind", "department", "trust_rank", "phone_region", "is_active", "allowed_origins", "rate_per_second"),
    ),
    Section("watch_rules", WatchRule, ("source",), _WATCHED),
    Section("retention_rules", RetentionRule, ("source",), ("quarantine_days", "file_days", "batch_days")),
    Section(
        "mappings",
        FieldMapping,
        ("name", "version"),
        ("source", "definition"),
        fixed=frozenset({"source", "definition"}),
    ),
    Section(
        "correction_rules",
        CorrectionRule,
        ("key", "version"),
        ("name", "source", "reason", "event", "definition", "position", "is_active"),
        fixed=frozenset({"source", "reason", "event", "definition"}),
        switch="is_active",
    ),
    Section(
        "plan",
        PlanSchema,
        ("event", "version"),
        ("schema", "is_pinned"),
        fixed=frozenset({"schema"}),
        switch="is_pinned",
    ),
    Section("event_types", EventType, ("name",), ("name_th", "kind_of_data", "department")),
    Section("trait_groups", TraitGroup, ("slug",), (*_NAMES, "kind_of_data", "is_sensitive", "department", "position")),
    Section("keeping_rules", KeepingRule, ("kind", "event_type", "trait_group"), ("days",)),
    Section("traits", Trait, ("name",), ("label", "label_th", "group", "data_type", "position")),
    Section("words", Term, ("attribute", "label"), ("label_th",)),
    Section("spellings", Synonym, ("attribute", "folded"), ("text", "term")),
    Section("exchange_rates", ExchangeRate, ("currency", "valid_from"), ("rate",)),
    Section(
        "purposes",
        Purpose,
        ("slug",),
        (*_NAMES, "description", "description_th", "basis", "months", "young", "is_sharing", "is_active", "position"),
    ),
    Section(
        "notices",
        Notice,
        ("purpose", "version"),
        ("text", "text_th", "published_at"),
        fixed=frozenset({"text", "text_th", "published_at"}),
    ),
    GrantSection("grants", GroupObjectPermission, ("department", "kind", "container"), ()),
)
BY_NAME: Final = {section.name: section for section in SECTIONS}


def all_states() -> Iterator[tuple[Section, list[Row]]]:
    """Every section with its rows, as the file says them."""
    for section in SECTIONS:
        yield section, [section.state(row) for row in section.rows()]
