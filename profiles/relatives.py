"""Customers who have to do with one another and are not one person: households, and whom people keep apart."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from cdp_site.core import actors
from cdp_site.core.access import Scope, scope_of
from cdp_site.core.models import User
from cdp_site.core.templatetags.formats import masked
from profiles import directory, masking, overview
from profiles.directory import Row
from profiles.labels import identifier_kind, value_label
from profiles.models import Identifier, LinkDecision, Membership, Profile
from profiles.reasons import read_reason
from profiles.resolution.evidence import DEVICE, KeyId

MOST = 12


@dataclass(frozen=True, slots=True)
class Relative:
    """Somebody of the same household. `by` is who said so; else both state `key`, of which `value` is shown as the
    viewer may see it, and bear other names."""

    customer: Row
    key: str
    value: str
    by: str
    reason: str
    at: datetime


def household(profile: Profile, *, by: User) -> list[Relative]:
    """Who is related to the customer, people's words first, of records and customers that the viewer may see.

    What two customers share is logged of one record each; the viewer is told when they see any two that share it. At
    most eight queries beside the scope.
    """
    scope, shows = scope_of(by), masking.shows_identifiers(by, profile.pk)
    told = dict(profile.memberships.filter(valid_to__isnull=True).values_list("record", "record__source"))
    members, own = set(told), {number for number, source in told.items() if scope.sees_source(source)}
    ends = []
    for decision in standing_apart(members, action=LinkDecision.Action.RELATED):
        a, b = decision.record_a_id, decision.record_b_id
        if (a in members) != (b in members):
            ends.append((decision, a, b) if a in members else (decision, b, a))
    owners = Profile.objects.visible_to(by).with_records([other for *_, other in ends])
    owner_of = {owner.record_id: owner.pk for owner in owners}
    visible = list({owner.pk: owner for owner in owners}.values())
    theirs = overview.records_of(visible, scope)
    rows = {row.profile.pk: row for row in directory.rows(visible, by=by)}
    keys = stated_by(own | {record.pk for records in theirs.values() for record in records}, scope)
    names = actors.names_of({decision.actor for decision, *_ in ends})
    found: dict[int, Relative] = {}
    for decision, here, other in sorted(ends, key=lambda end: end[0].kind != LinkDecision.Kind.STEWARD):
        owner = owner_of.get(other)
        if owner is None:
            continue
        seen = {record.pk for record in theirs[owner]}
        if decision.kind == LinkDecision.Kind.STEWARD:
            if here in own and other in seen:
                by_whom, reason = names[decision.actor], masking.readable(read_reason(decision.reason), shows=shows)
                found.setdefault(owner, Relative(rows[owner], "", "", by_whom, reason, decision.at))
            continue
        space = (decision.evidence.get("kind", ""), decision.evidence.get("namespace", ""))
        ours = {key: raw for number in own for key, raw in keys[number].items() if key[:2] == space}
        common = sorted(ours.keys() & {key for number in seen for key in keys[number]})
        if common:
            value = value_text(common[0], ours[common[0]], shows=shows)
            found.setdefault(owner, Relative(rows[owner], identifier_kind(space[0]), value, "", "", decision.at))
    return list(found.values())[:MOST]


def customers_of(numbers: Collection[int], *, by: User) -> dict[int, Row]:
    """Record → its live customer as a list shows it, of those records and customers that the viewer may see. Four
    queries beside the scope."""
    scope = scope_of(by)
    current = Membership.objects.filter(record__in=numbers, valid_to__isnull=True)
    if scope.source_ids is not None:
        current = current.filter(record__source__in=scope.source_ids)
    owner_of = dict(current.values_list("record", "profile"))
    visible = list(Profile.objects.visible_to(by).filter(pk__in=set(owner_of.values())))
    rows = {row.profile.pk: row for row in directory.rows(visible, by=by)}
    return {number: rows[owner] for number, owner in owner_of.items() if owner in rows}


def standing_apart(record_ids: Collection[int], **more: object) -> list[LinkDecision]:
    """The nevers and relations of these records with any other that stand, newest first: an undo that was undone is
    none. One query."""
    ids = list(record_ids)
    return list(
        LinkDecision.objects.standing()
        .filter(Q(record_a__in=ids) | Q(record_b__in=ids), **more)
        .filter(action__in=(LinkDecision.Action.NEVER, LinkDecision.Action.RELATED))
        .order_by("-pk")
    )


def stated_by(record_ids: Collection[int], scope: Scope) -> dict[int, dict[KeyId, str]]:
    """Record → what it states as evidence, with the text as it came, of the kinds that the scope sees. One query."""
    found: dict[int, dict[KeyId, str]] = {number: {} for number in record_ids}
    stated = Identifier.objects.filter(record__in=found, is_evidence=True)
    for row in stated.exclude(kind__in=masking.hidden_kinds(scope)).order_by("pk"):
        found[row.record_id].setdefault((row.kind, row.namespace, row.value), row.raw or row.value)
    return found


def value_text(key: KeyId, raw: str, *, shows: bool) -> str:
    """An identifier as a viewer may read it. Of a national id the last four digits are all that is kept; the number of
    a device tells nobody anything."""
    if key[0] == DEVICE:
        return ""
    if key[0] == "citizen":
        return f"•••• {raw[-4:]}" if shows else ""
    return value_label(key[0], raw) if shows else masked(raw)
