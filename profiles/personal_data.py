"""Where the profiles app keeps personal data: one holder per store.

Order within the app: what points to records goes before the records. Append-only tables are deleted from under the
caller's erasure step alone.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from functools import cache
from typing import Any, ClassVar

import msgspec
from django.apps import apps
from django.db import connection, models
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from cdp_site.core.personal_data import (
    PERSONAL,
    BaseHolder,
    Ground,
    Outcome,
    Subject,
    classification_of,
    register_holder,
)
from ingestion import landing
from profiles.models import (
    Account,
    AccountMembership,
    BlockKey,
    CustomerOpening,
    Identifier,
    IdentifierKey,
    LinkDecision,
    MatchChange,
    MatchLabel,
    Membership,
    NameToken,
    Note,
    Order,
    OrderLine,
    OrderShare,
    PendingResolution,
    Pin,
    Profile,
    QualityFinding,
    RecordName,
    RecordShare,
    Refund,
    ReviewPair,
    RunRecord,
    ScoredPair,
    SourceRecord,
    SourceRecordVersion,
    Touchpoint,
    TouchpointShare,
    UnmatchedChange,
    VerifiedRecord,
)

# Accounting Act B.E. 2543 s.14: documents are kept for five years from the end of the accounts.
ACCOUNTING_KEEPS = timedelta(days=5 * 366)

Rows = Callable[[Subject], "QuerySet[Any]"]


class RowsHolder(BaseHolder):
    """A holder whose rows are found by profile or record; `rows` in the order of deletion, with what is exported."""

    rows: ClassVar[Mapping[str, Rows]] = {}
    exported: ClassVar[Mapping[str, tuple[str, ...]]] = {}

    def locate(self, subject: Subject) -> Mapping[str, int]:
        return {label: rows(subject).count() for label, rows in self.rows.items()}

    def preview(self, subject: Subject) -> Outcome:
        return Outcome(erased=self.locate(subject))

    def export(self, subject: Subject) -> Mapping[str, list[dict[str, Any]]]:
        """What `exported` names, and each field that is personal by its model: what goes with an erasure is told."""
        found = {}
        for label, rows in self.rows.items():
            fields = dict.fromkeys((*self.exported.get(label, ()), *_personal(label)))
            if fields:
                stated = rows(subject).order_by("pk").values(*fields)
                found[label] = [msgspec.to_builtins(row, enc_hook=str) for row in stated]
        return found

    def erase(self, subject: Subject) -> Outcome:
        return Outcome(erased={label: _delete(rows(subject), label) for label, rows in self.rows.items()})


@cache
def _personal(label: str) -> tuple[str, ...]:
    """Fields of a table that say something of a customer; keys that lead to a row are none, nor what the database makes
    of another field of the row."""
    model = apps.get_model(label)
    classes = classification_of(model)
    return tuple(
        field.name
        for field in model._meta.concrete_fields
        if classes[field.name] == PERSONAL
        and not (field.is_relation or field.generated)
        and not isinstance(field, models.BinaryField)
    )


def _delete(rows: "QuerySet[Any]", label: str) -> int:
    """Delete; returns the rows of this table alone (what hangs on them is counted by its own entry)."""
    _total, by_model = rows.delete()
    return by_model.get(label, 0)


def _of_profiles(model: Any) -> Rows:
    return lambda subject: model.objects.filter(profile__in=subject.profile_ids)


def _of_records(model: Any) -> Rows:
    return lambda subject: model.objects.filter(record__in=subject.record_ids)


def _of_pairs(model: Any) -> Rows:
    return lambda subject: model.objects.filter(Q(record_a__in=subject.record_ids) | Q(record_b__in=subject.record_ids))


class TouchpointHolder(RowsHolder):
    """What the person did. A tombstone stays for each, so that no message is taken again."""

    name = "profiles.touchpoints"
    tables = ("profiles.TouchpointShare", "profiles.Touchpoint")
    rows: ClassVar = {
        "profiles.TouchpointShare": lambda subject: TouchpointShare.objects.filter(
            touchpoint_id__in=Touchpoint.objects.filter(profile__in=subject.profile_ids).values("pk")
        ),
        "profiles.Touchpoint": _of_profiles(Touchpoint),
    }
    exported: ClassVar = {
        "profiles.Touchpoint": ("id", "occurred_at", "received_at", "type__name", "source__name", "properties")
    }

    def erase(self, subject: Subject) -> Outcome:
        rows = self.rows["profiles.Touchpoint"](subject)
        landing.remember(rows.values_list("pk", flat=True).iterator())
        shares = self.rows["profiles.TouchpointShare"](subject).delete()[0]
        return Outcome(erased={"profiles.TouchpointShare": shares, "profiles.Touchpoint": rows.order_by().delete()[0]})

    def reassign(self, moves: Mapping[int, int]) -> None:
        """There is no index by record: the rows are found through the profile that the record has just left."""
        _execute(
            """
            UPDATE profiles_touchpoint AS t SET profile_id = moved.profile_id
              FROM (SELECT m.record_id, m.profile_id,
                           (SELECT h.profile_id FROM profiles_membership h
                             WHERE h.record_id = m.record_id AND h.valid_to IS NOT NULL
                             ORDER BY h.valid_to DESC, h.id DESC LIMIT 1) AS left_id
                      FROM unnest(%s::bigint[], %s::bigint[]) AS m(record_id, profile_id)) AS moved
             WHERE t.profile_id = moved.left_id AND t.record_id = moved.record_id
            """,
            moves,
        )


def orders_kept(subject: Subject) -> "QuerySet[Order]":
    """Of which the law keeps the account."""
    return Order.objects.filter(profile__in=subject.profile_ids, placed_at__gte=timezone.now() - ACCOUNTING_KEEPS)


class OrderHolder(RowsHolder):
    """What the person bought. Orders that the law keeps become stubs without a person."""

    name = "profiles.orders"
    tables = ("profiles.Order", "profiles.OrderLine", "profiles.Refund", "profiles.OrderShare")
    rows: ClassVar = {
        "profiles.OrderShare": lambda subject: OrderShare.objects.filter(
            order_id__in=Order.objects.filter(profile__in=subject.profile_ids).values("pk")
        ),
        "profiles.OrderLine": lambda subject: OrderLine.objects.filter(order__profile__in=subject.profile_ids),
        "profiles.Refund": lambda subject: Refund.objects.filter(order__profile__in=subject.profile_ids),
        "profiles.Order": _of_profiles(Order),
    }
    exported: ClassVar = {
        "profiles.Order": (
            "external_id",
            "source__name",
            "status",
            "placed_at",
            "currency",
            "total",
            "discount",
            "coupon",
            "refunded",
            "paid_at",
            "payment_method",
            "shipped_at",
            "carrier",
            "tracking_number",
            "delivered_at",
        ),
        "profiles.OrderLine": ("order__external_id", "sku", "name", "category", "color", "quantity", "unit_price"),
        "profiles.Refund": ("order__external_id", "at", "amount", "currency"),
    }

    def preview(self, subject: Subject) -> Outcome:
        kept = orders_kept(subject)
        erased = {
            "profiles.Order": self.rows["profiles.Order"](subject).exclude(pk__in=kept).count(),
            "profiles.OrderLine": self.rows["profiles.OrderLine"](subject).exclude(order__in=kept).count(),
            "profiles.Refund": self.rows["profiles.Refund"](subject).exclude(order__in=kept).count(),
            "profiles.OrderShare": self.rows["profiles.OrderShare"](subject).count(),
        }
        return Outcome(erased=erased, kept={"profiles.Order": (kept.count(), Ground.ACCOUNTING)})

    def erase(self, subject: Subject) -> Outcome:
        # A stub that the law keeps has nothing to give back any more, and no messages that name a record.
        shares = _delete(self.rows["profiles.OrderShare"](subject), "profiles.OrderShare")
        kept = orders_kept(subject).update(record=None, profile=None, tracking_number="", tracking_url="", url="")
        erased = {**super().erase(subject).erased, "profiles.OrderShare": shares}
        return Outcome(erased=erased, kept={"profiles.Order": (kept, Ground.ACCOUNTING)})

    def reassign(self, moves: Mapping[int, int]) -> None:
        _execute(
            """
            UPDATE profiles_order AS o SET profile_id = m.profile_id
              FROM unnest(%s::bigint[], %s::bigint[]) AS m(record_id, profile_id)
             WHERE o.record_id = m.record_id
            """,
            moves,
        )


class NoteHolder(RowsHolder):
    """What staff wrote about the person."""

    name = "profiles.notes"
    tables = ("profiles.Note",)
    rows: ClassVar = {"profiles.Note": _of_records(Note)}
    exported: ClassVar = {"profiles.Note": ("at", "text", "department__name")}

    def reassign(self, moves: Mapping[int, int]) -> None:
        _execute(
            """
            UPDATE profiles_note AS n SET profile_id = m.profile_id
              FROM unnest(%s::bigint[], %s::bigint[]) AS m(record_id, profile_id)
             WHERE n.record_id = m.record_id
            """,
            moves,
        )


class AccountHolder(RowsHolder):
    """Whom the person acts for. An account goes with its last member: that of a single person tells of that person."""

    name = "profiles.accounts"
    tables = ("profiles.Account", "profiles.AccountMembership")
    rows: ClassVar = {
        "profiles.Account": lambda subject: Account.objects.filter(
            Exists(AccountMembership.objects.filter(account=OuterRef("pk"), record__in=subject.record_ids)),
            ~Exists(AccountMembership.objects.filter(account=OuterRef("pk")).exclude(record__in=subject.record_ids)),
        ),
        "profiles.AccountMembership": _of_records(AccountMembership),
    }
    exported: ClassVar = {
        "profiles.AccountMembership": (
            *("account__external_id", "account__traits", "account__source__name"),
            *("first_stated_at", "last_stated_at"),
        )
    }

    def erase(self, subject: Subject) -> Outcome:
        """The accounts are found by their members, and members go before their account."""
        alone = list(self.rows["profiles.Account"](subject).values_list("pk", flat=True))
        members = _delete(self.rows["profiles.AccountMembership"](subject), "profiles.AccountMembership")
        accounts = _delete(Account.objects.filter(pk__in=alone), "profiles.Account")
        return Outcome(erased={"profiles.Account": accounts, "profiles.AccountMembership": members})


class MatchingHolder(RowsHolder):
    """What was asked and said about who else the person might be. A model holds weights, nobody's values: it stays."""

    name = "profiles.matching"
    tables = (
        "profiles.MatchLabel",
        "profiles.ReviewPair",
        "profiles.MatchChange",
        "profiles.BlockKey",
        "profiles.RunRecord",
        "profiles.ScoredPair",
        "profiles.UnmatchedChange",
        "profiles.VerifiedRecord",
        "profiles.QualityFinding",
    )
    rows: ClassVar = {
        "profiles.MatchLabel": _of_pairs(MatchLabel),
        "profiles.ReviewPair": _of_pairs(ReviewPair),
        "profiles.MatchChange": _of_pairs(MatchChange),
        "profiles.BlockKey": _of_records(BlockKey),
        "profiles.RunRecord": _of_records(RunRecord),
        "profiles.ScoredPair": _of_pairs(ScoredPair),
        "profiles.UnmatchedChange": _of_records(UnmatchedChange),
        "profiles.VerifiedRecord": _of_records(VerifiedRecord),
        "profiles.QualityFinding": _of_profiles(QualityFinding),
    }
    exported: ClassVar = {"profiles.VerifiedRecord": ("record__source__name", "at")}


class OpeningHolder(RowsHolder):
    """For whom of the staff the person's identifiers were open."""

    name = "profiles.openings"
    tables = ("profiles.CustomerOpening",)
    rows: ClassVar = {"profiles.CustomerOpening": _of_profiles(CustomerOpening)}
    exported: ClassVar = {"profiles.CustomerOpening": ("reason", "opened_at", "until")}


_KEYS_OF_NOBODY_ELSE = """
SELECT k.id
  FROM profiles_identifier i
  JOIN profiles_identifierkey k USING (kind, namespace, value)
 WHERE i.record_id = ANY(%s) AND NOT EXISTS (
       SELECT 1 FROM profiles_identifier o
        WHERE (o.kind, o.value, o.namespace) = (i.kind, i.value, i.namespace) AND o.record_id <> ALL(%s))
"""
_OTHERS_WITH_THE_SAME_KEYS = """
SELECT DISTINCT o.record_id
  FROM profiles_identifier i
  JOIN profiles_identifier o USING (kind, value, namespace)
 WHERE i.record_id = ANY(%s) AND i.is_evidence AND o.is_evidence AND o.record_id <> ALL(%s)
 ORDER BY 1
"""


class RecordHolder(RowsHolder):
    """Who the person is: records, identifiers, names, decisions, memberships and the profiles themselves."""

    name = "profiles.records"
    tables = (
        "profiles.Pin",
        "profiles.RecordShare",
        "profiles.RecordName",
        "profiles.NameToken",
        "profiles.IdentifierKey",
        "profiles.Identifier",
        "profiles.LinkDecision",
        "profiles.PendingResolution",
        "profiles.SourceRecordVersion",
        "profiles.Membership",
        "profiles.SourceRecord",
        "profiles.Profile",
    )
    rows: ClassVar = {
        "profiles.Pin": _of_records(Pin),
        "profiles.RecordShare": _of_records(RecordShare),
        "profiles.NameToken": lambda subject: NameToken.objects.filter(
            Exists(RecordName.objects.filter(token=OuterRef("pk"), record__in=subject.record_ids)),
            ~Exists(RecordName.objects.filter(token=OuterRef("pk")).exclude(record__in=subject.record_ids)),
        ),
        "profiles.RecordName": _of_records(RecordName),
        "profiles.IdentifierKey": lambda subject: IdentifierKey.objects.filter(
            Q(profile__in=subject.profile_ids) | Q(pk__in=_ids(_KEYS_OF_NOBODY_ELSE, subject))
        ),
        "profiles.Identifier": _of_records(Identifier),
        "profiles.LinkDecision": _of_pairs(LinkDecision),
        "profiles.PendingResolution": _of_records(PendingResolution),
        "profiles.SourceRecordVersion": _of_records(SourceRecordVersion),
        # Also of records that were with the person once and have left: their history would still name the person.
        "profiles.Membership": lambda subject: Membership.objects.filter(
            Q(record__in=subject.record_ids) | Q(profile__in=subject.profile_ids)
        ),
        "profiles.SourceRecord": lambda subject: SourceRecord.objects.filter(pk__in=subject.record_ids),
        "profiles.Profile": lambda subject: Profile.objects.filter(pk__in=subject.profile_ids),
    }
    exported: ClassVar = {
        "profiles.SourceRecord": ("source__name", "kind", "external_id", "attributes", "first_seen_at", "last_seen_at"),
        "profiles.SourceRecordVersion": ("record__source__name", "attributes", "occurred_at"),
        "profiles.Identifier": ("kind", "raw", "valid_from", "last_stated_at", "valid_to"),
    }

    def erase(self, subject: Subject) -> Outcome:
        """Whoever shared a key with the person is looked at again: a device that had two users may have one now."""
        neighbours = _ids(_OTHERS_WITH_THE_SAME_KEYS, subject)
        # Births redirect to the live profile: nothing may point anywhere before the rows go.
        Profile.objects.filter(pk__in=subject.profile_ids).update(state=Profile.State.ERASING, redirect_to=None)
        outcome = super().erase(subject)
        PendingResolution.objects.bulk_create(
            [PendingResolution(pk=number) for number in neighbours], ignore_conflicts=True
        )
        return outcome


def _ids(statement: str, subject: Subject) -> list[int]:
    records = list(subject.record_ids)
    with connection.cursor() as cursor:
        cursor.execute(statement, [records, records])
        return [row[0] for row in cursor.fetchall()]


def _execute(statement: str, moves: Mapping[int, int]) -> None:
    rows: Iterable[tuple[int, int]] = sorted(moves.items())
    records, profiles = zip(*rows, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(statement, [list(records), list(profiles)])


def register() -> None:
    """The holders of this app, in the order in which an erasure runs them."""
    holders = (
        TouchpointHolder(),
        OrderHolder(),
        NoteHolder(),
        AccountHolder(),
        MatchingHolder(),
        OpeningHolder(),
        RecordHolder(),
    )
    for place, holder in enumerate(holders):
        register_holder(holder, order=300 + place)
