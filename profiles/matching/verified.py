"""Customers that a person has verified: the model changes them no more, it asks.

What is marked are the records that the customer is made of, so that a mark follows its record wherever stewards put
it. A component that holds one takes part in no link of the model (`resolution.partition`): neither does the model join
it to others, nor does it take away what it had joined, since verifying confirms what is there. Links of the model on
which the customer stands become a steward's, with the rule "verified"; taking the mark back withdraws exactly these.

Identifiers go on joining as ever: what a source states is no guess. Records that come so are shown as not verified yet.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from cdp_site.core import actors, audit
from cdp_site.core.errors import InternalError, MendableError
from cdp_site.core.models import User
from profiles import merging
from profiles.models import LinkDecision, Membership, Profile, SourceRecord, VerifiedRecord
from profiles.resolution import decision_log, neighbourhood, pipeline
from profiles.resolution.decision_log import NewDecision
from profiles.resolution.evidence import active
from profiles.resolution.neighbourhood import Neighbourhood
from profiles.resolution.partition import Rule

RULE = "verified"  # what a confirmed link stands on, in the evidence of its decision


@dataclass(frozen=True, slots=True)
class Verification:
    """What is verified of the records that a viewer sees: who said so last, and how many came since."""

    by: str
    at: datetime
    reason: str
    unverified: int


def of_records(records: Sequence[SourceRecord]) -> Verification | None:
    """None when none of them is verified. Visitors and what agents added count for nothing. One query."""
    found = VerifiedRecord.objects.filter(record__in=[record.pk for record in records]).select_related("by")
    marks = {mark.record_id: mark for mark in found}
    if not marks:
        return None
    last = max(marks.values(), key=lambda mark: (mark.at, mark.record_id))
    return Verification(
        by=actors.name_of(last.by) if last.by else "",
        at=last.at,
        reason=last.reason,
        unverified=sum(record.kind == SourceRecord.Kind.IDENTIFIED and record.pk not in marks for record in records),
    )


def number_among(groups: Iterable[frozenset[int]]) -> int:
    """How many of these records are verified. One query."""
    return VerifiedRecord.objects.filter(record__in={number for group in groups for number in group}).count()


@transaction.atomic
def verify(*, profile: Profile, by: User, reason: str = "") -> None:
    """Mark the customer's records as verified and confirm what was the model's word alone; nothing moves.

    Raises ConflictProblem when the customer is not there any more, MendableError for a visitor, who is nobody yet.
    """
    pipeline.take_merge_lock()
    (live,) = merging.find_live([profile])
    members = merging.members_of([live])
    around = neighbourhood.read(members)
    people = {number for number in members if around.records[number].evidence.kind != "anonymous"}
    if not people:
        raise MendableError(_("Nobody knows yet who this visitor is: there is nothing to verify."))
    confirmed = _links_to_confirm(around, people, reason)
    VerifiedRecord.objects.bulk_create(
        [VerifiedRecord(record_id=number, by=by, reason=reason) for number in sorted(people)], ignore_conflicts=True
    )
    decision_log.append(confirmed, actor=audit.actor_name(by))
    pipeline.resolve_exclusively(members, by=audit.actor_name(by))
    if merging.members_of([live]) != members:
        raise InternalError(f"verifying has moved records of profile {live.pk}")
    audit.record(action="profile.verify", target=live, by=by, fields=["verified"])


def _links_to_confirm(around: Neighbourhood, people: set[int], reason: str) -> list[NewDecision]:
    """The model's links on which the customer stands. Said by a person they come before what identifiers say, so that
    something else may fall out: then it is confirmed, too."""
    found = merging.foresee(around, [])
    pairs = [(edge.a, edge.b) for edge in found.edges if edge.rule is Rule.MODEL and {edge.a, edge.b} <= people]
    for number in people:
        around.records[number] = around.records[number].verified()
    first = min(people)
    together = {number for number in people if found.anchor_of[number] == found.anchor_of[first]}
    while True:
        links = [
            NewDecision(
                LinkDecision.Action.LINK, LinkDecision.Kind.STEWARD, a, b, evidence={"rule": RULE}, reason=reason
            )
            for a, b in pairs
        ]
        found = merging.foresee(around, links)
        fallen = [(first, one) for one in sorted(together) if found.anchor_of[one] != found.anchor_of[first]]
        if not fallen:
            return links
        pairs += fallen


@transaction.atomic
def take_back(*, profile: Profile, by: User) -> list[Profile]:
    """Let the model speak again. Returns the live profiles that came of it: when the model has changed its mind since,
    what only its word and this mark held together parts.

    Raises ConflictProblem when the customer is not there any more.
    """
    pipeline.take_merge_lock()
    (live,) = merging.find_live([profile])
    members = merging.members_of([live])
    around = neighbourhood.read(members)
    grounds = {logged.decision.id: logged.grounds for logged in around.decisions}
    withdrawals = [
        NewDecision(LinkDecision.Action.WITHDRAW, LinkDecision.Kind.STEWARD, link.a, link.b, withdraws=link.id)
        for link in active(logged.decision for logged in around.decisions)
        if link.kind == "steward" and grounds[link.id].get("rule") == RULE and {link.a, link.b} <= members
    ]
    VerifiedRecord.objects.filter(record__in=members).delete()
    decision_log.append(withdrawals, actor=audit.actor_name(by))
    pipeline.resolve_exclusively(members, by=audit.actor_name(by))
    audit.record(action="profile.unverify", target=live, by=by, fields=["verified"])
    current = Membership.objects.filter(record__in=members, valid_to__isnull=True)
    return list(Profile.objects.filter(pk__in=current.values("profile")).order_by("pk"))
