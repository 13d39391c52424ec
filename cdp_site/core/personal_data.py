"""Where personal data lives: each model classifies its fields, each app declares holders.

A holder is a store that hangs on a person. Erasure, access, rectification and merge all walk the same list,
so that what one of them reaches, the others reach too.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

from django.apps import apps
from django.db import models

PERSONAL = "personal"  # names, says or shows something of a customer
PSEUDONYMOUS = "pseudonymous"  # an id or keyed hash that leads to a customer
NONE = "none"

# Field name → class; "*" stands for every field that is not named.
Classification = Mapping[str, str]

# Tables of the libraries: no customer's data by their nature (job arguments are ids only; sessions and the
# tables of logins hold a staff member's).
LIBRARY_APPS = frozenset(
    {"account", "admin", "auth", "contenttypes", "django_q", "guardian", "mfa", "sessions", "socialaccount"}
)


@dataclass(frozen=True)
class Subject:
    """The person that a request is about, as every holder can find them.

    `profile_ids` are all profile keys of the person (live one and redirected births), `record_ids` all source
    records, `public_ids` all public ids, `identifier_keys` keyed hashes of (kind, namespace, value).
    """

    profile_ids: tuple[int, ...]
    record_ids: tuple[int, ...]
    public_ids: tuple[UUID, ...]
    identifier_keys: frozenset[bytes] = field(default_factory=frozenset)


class Ground(StrEnum):
    """Why a row outlives an erasure. The wording, with the law's section, is `consent.wording.GROUNDS`."""

    ACCOUNTING = "accounting"  # Accounting Act s.14: five years
    PROOF = "proof"  # accountability, PDPA s.39 and s.40: that it was done, and by whom
    SUPPRESSION = "suppression"  # so that the erasure lasts
    CLAIM = "claim"  # a legal claim, PDPA s.33: a person has held the row
    OBLIGATION = "obligation"  # another duty under a law: a person has held the row


@dataclass(frozen=True)
class Outcome:
    """What a holder did or would do: model label → rows erased, anonymised, kept (with the `Ground` of keeping)."""

    erased: Mapping[str, int] = field(default_factory=dict)
    anonymised: Mapping[str, int] = field(default_factory=dict)
    kept: Mapping[str, tuple[int, str]] = field(default_factory=dict)


class Holder(Protocol):
    """A store of personal data. `name` is stable: erasure steps are recorded under it.

    `tables` are the model labels that it answers for. `locate` returns table → rows that lead to the person, without
    changing anything: after `erase` it finds none but those that `erase` reported as kept. `preview` says what `erase`
    would do; `export` returns JSON-ready rows by table; `erase` runs inside the caller's transaction; `reassign`
    re-derives the owner of rows of the given records after merge or unmerge (rows owned by record need nothing).
    """

    name: str
    tables: tuple[str, ...]

    def locate(self, subject: Subject) -> Mapping[str, int]: ...

    def preview(self, subject: Subject) -> Outcome: ...

    def export(self, subject: Subject) -> Mapping[str, list[dict[str, Any]]]: ...

    def rectify(self, subject: Subject, *, trait: str, value: Any) -> Mapping[str, int]: ...

    def erase(self, subject: Subject) -> Outcome: ...

    def reassign(self, moves: Mapping[int, int]) -> None: ...


class BaseHolder:
    """A holder that keeps nothing to rectify or to reassign: most override `locate`, `export` and `erase`, and
    `preview` where some rows are anonymised or kept."""

    name: str
    tables: tuple[str, ...] = ()

    def locate(self, subject: Subject) -> Mapping[str, int]:
        return {}

    def preview(self, subject: Subject) -> Outcome:
        """All that is found goes."""
        return Outcome(erased=self.locate(subject))

    def export(self, subject: Subject) -> Mapping[str, list[dict[str, Any]]]:
        return {}

    def rectify(self, subject: Subject, *, trait: str, value: Any) -> Mapping[str, int]:
        return {}

    def erase(self, subject: Subject) -> Outcome:
        return Outcome()

    def reassign(self, moves: Mapping[int, int]) -> None:
        """`moves`: record id → profile id that owns it now."""


_holders: list[tuple[int, Holder]] = []


def register_holder(holder: Holder, *, order: int) -> None:
    """Erasure runs holders by ascending `order`: segments 100, consent 200, profiles 300, ingestion 400, core 500."""
    if any(known.name == holder.name for _order, known in _holders):
        raise ValueError(f"holder {holder.name!r} is registered twice")
    _holders.append((order, holder))
    _holders.sort(key=lambda pair: pair[0])


def holders() -> list[Holder]:
    """All holders in the order of erasure."""
    return [holder for _order, holder in _holders]


def reassign(moves: Mapping[int, int]) -> None:
    """Tell every holder that records moved: record id → profile id. Runs inside the caller's transaction."""
    for holder in holders():
        holder.reassign(moves)


def classification_of(model: type[models.Model]) -> dict[str, str]:
    """Field name → class of personal data for every concrete field. Raises LookupError for an unclassified one."""
    declared: Classification | None = getattr(model, "PERSONAL_DATA", None)
    if declared is None:
        raise LookupError(f"{model._meta.label} does not declare PERSONAL_DATA")
    names = [concrete.name for concrete in model._meta.concrete_fields]
    unknown = set(declared) - set(names) - {"*"}
    if unknown:
        raise LookupError(f"{model._meta.label}.PERSONAL_DATA names fields that do not exist: {sorted(unknown)}")
    missing = [name for name in names if name not in declared and "*" not in declared]
    if missing:
        raise LookupError(f"{model._meta.label} leaves fields unclassified: {missing}")
    return {name: declared.get(name, declared.get("*", NONE)) for name in names}


def own_models() -> Iterable[type[models.Model]]:
    """Every model of the product itself."""
    return (model for model in apps.get_models() if model._meta.app_label not in LIBRARY_APPS)


class AccessLogHolder(BaseHolder):
    """Who opened the customer's page."""

    name = "core.access_log"
    tables: tuple[str, ...] = ("core.AccessLogEntry",)

    def _rows(self, subject: Subject) -> "models.QuerySet[Any]":
        return apps.get_model("core", "AccessLogEntry")._default_manager.filter(profile__in=subject.public_ids)

    def locate(self, subject: Subject) -> Mapping[str, int]:
        return {"core.AccessLogEntry": self._rows(subject).count()}

    def export(self, subject: Subject) -> Mapping[str, list[dict[str, Any]]]:
        rows = self._rows(subject).values("at", "what", "reason")
        return {"core.AccessLogEntry": [{**row, "at": row["at"].isoformat()} for row in rows]}

    def erase(self, subject: Subject) -> Outcome:
        count, _by_model = self._rows(subject).delete()
        return Outcome(erased={"core.AccessLogEntry": count})


class AuditHolder(BaseHolder):
    """What was done to the customer and by whom: names the object, holds no value, and stays as proof."""

    name = "core.audit"
    tables: tuple[str, ...] = ("core.AuditEvent",)

    def _rows(self, subject: Subject) -> "models.QuerySet[Any]":
        profiles = [str(key) for key in (*subject.profile_ids, *subject.public_ids)]
        records = [str(key) for key in subject.record_ids]
        return apps.get_model("core", "AuditEvent")._default_manager.filter(
            models.Q(target_type="profiles.Profile", target_id__in=profiles)
            | models.Q(target_type="profiles.SourceRecord", target_id__in=records)
        )

    def locate(self, subject: Subject) -> Mapping[str, int]:
        return {"core.AuditEvent": self._rows(subject).count()}

    def preview(self, subject: Subject) -> Outcome:
        return Outcome(kept={"core.AuditEvent": (self._rows(subject).count(), Ground.PROOF)})

    def export(self, subject: Subject) -> Mapping[str, list[dict[str, Any]]]:
        rows = self._rows(subject).order_by("pk").values("at", "action", "fields")
        return {"core.AuditEvent": [{**row, "at": row["at"].isoformat()} for row in rows]}

    def erase(self, subject: Subject) -> Outcome:
        return self.preview(subject)


def register_core_holders() -> None:
    register_holder(AccessLogHolder(), order=500)
    register_holder(AuditHolder(), order=510)
