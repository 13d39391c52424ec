"""What the API gives: the customer, the explanation, previews and outcomes, as the reader may see them."""

from typing import Any

from rest_framework import serializers

from cdp_site.core.rest_shapes import Fields, shape
from profiles.explaining import Event, Explanation, Link, Refused, Step, Told
from profiles.matching.verified import Verification
from profiles.matching.weighing import Weighing
from profiles.merging import Outcome, Preview
from profiles.models import Membership, SourceRecord

Json = dict[str, Any]

RECORD_KINDS = SourceRecord.Kind.values
"""Named in the API's description (settings.SPECTACULAR_SETTINGS)."""

# A source's record; ids masked for roles that work with groups, not with people.
RECORD: Fields = {
    "id": serializers.IntegerField(),
    "source": serializers.CharField(help_text="Short name of the source."),
    "kind": serializers.ChoiceField(choices=RECORD_KINDS),
    "external_id": serializers.CharField(),
    "first_seen_at": serializers.DateTimeField(),
    "last_seen_at": serializers.DateTimeField(),
    "verified": serializers.BooleanField(),
}


class OutcomeProfile(serializers.Serializer):
    public_id = serializers.UUIDField()
    records = serializers.ListField(child=serializers.IntegerField())


class OutcomeAnswer(serializers.Serializer):
    """What came of it: the live customers, and the operation by which it can be reverted."""

    operation = serializers.UUIDField()
    profiles = OutcomeProfile(many=True)


class EffectAnswer(serializers.Serializer):
    area = serializers.CharField()
    text = serializers.CharField()
    is_loss = serializers.BooleanField()


class PreviewAnswer(serializers.Serializer):
    """What would be done; nothing was."""

    before = serializers.ListField(child=serializers.ListField(child=serializers.IntegerField()))
    after = serializers.ListField(child=serializers.ListField(child=serializers.IntegerField()))
    changed_traits = serializers.ListField(child=serializers.CharField())
    touchpoints = serializers.IntegerField()
    orders = serializers.IntegerField()
    overruled = serializers.IntegerField(help_text="Earlier decisions of colleagues that would be set aside.")
    unclear_notes = serializers.ListField(
        child=serializers.IntegerField(), help_text="Agents' records of which `notes_to` has to say where they go."
    )
    effects = EffectAnswer(many=True, help_text="On consents, segments and more.")


_TOLD: Fields = {name: RECORD[name] for name in ("id", "source", "kind", "external_id")}
_EVIDENCE: Fields = {
    "model": serializers.IntegerField(allow_null=True, help_text="Version of the model."),
    "prior": serializers.FloatField(help_text="Log-odds before anything is compared."),
    "fields": shape("FieldEvidence", {"field": serializers.CharField(), "weight": serializers.FloatField()}, many=True),
}
_SAID: Fields = {
    "key": serializers.CharField(allow_null=True, help_text="The kind of identifier that both state."),
    "value": serializers.CharField(allow_null=True, help_text="Masked if your role asks for it."),
    "by": serializers.CharField(allow_null=True, help_text="The person who decided."),
    "reason": serializers.CharField(allow_null=True),
    "at": serializers.DateTimeField(allow_null=True),
    "evidence": shape("Evidence", _EVIDENCE, allow_null=True),
}
_LINK: Fields = {
    "rule": serializers.CharField(help_text="tie, verified, steward, unique_id, email, phone, contact, model, device."),
    "records": shape("ToldRecord", _TOLD, many=True),
    "score": serializers.FloatField(allow_null=True, help_text="Of the model, 0 to 1."),
    **_SAID,
}
_STEP: Fields = {
    "record": shape("ToldRecord", _TOLD),
    "received_at": serializers.DateTimeField(),
    "held_unseen": serializers.BooleanField(help_text="Joined by records that you may not see."),
    "links": shape("Link", _LINK, many=True, help_text="To the records before it."),
}
_WEAKEST: Fields = {**_LINK, "records_without_it": serializers.IntegerField()}
_REFUSED: Fields = {
    "why": serializers.CharField(
        help_text="never, related, id_conflict, names_differ, fan_out, ambiguous, shared_device, proposed, overruled, "
        "verified, waiting."
    ),
    "record": shape("ToldRecord", _TOLD, allow_null=True),
    "profile": serializers.UUIDField(allow_null=True, help_text="Public id of the other customer."),
    **_SAID,
}
_DECIDED: Fields = {
    "what": serializers.CharField(help_text="joined, confirmed, parted, kept_apart, related, allowed."),
    "kind": serializers.CharField(help_text="steward, model, deterministic."),
    "by": serializers.CharField(allow_null=True),
    "at": serializers.DateTimeField(),
    "reason": serializers.CharField(allow_null=True),
    "operation": serializers.UUIDField(allow_null=True, help_text="By which a merge or unmerge is reverted."),
    "records": shape("ToldRecord", _TOLD, many=True),
}
_VERIFIED: Fields = {
    "by": serializers.CharField(),
    "at": serializers.DateTimeField(),
    "reason": serializers.CharField(),
    "records_since": serializers.IntegerField(help_text="Records that came since and are not verified."),
}
EXPLANATION = shape(
    "Explanation",
    {
        "verified": shape("Verification", _VERIFIED, allow_null=True),
        "steps": shape("Step", _STEP, many=True),
        "more_steps": serializers.IntegerField(),
        "weakest": shape("WeakestLink", _WEAKEST, allow_null=True),
        "refused": shape("RefusedJoin", _REFUSED, many=True),
        "more_refused": serializers.IntegerField(),
        "decided": shape("Decided", _DECIDED, many=True),
    },
)


def preview(found: Preview) -> Json:
    return {
        "before": [sorted(group) for group in found.before],
        "after": [sorted(group) for group in found.after],
        "changed_traits": found.changed_traits,
        "touchpoints": found.touchpoints,
        "orders": found.orders,
        "overruled": len(found.overruled),
        "unclear_notes": list(found.unclear_notes),
        "effects": [
            {"area": str(effect.area), "text": str(effect.text), "is_loss": effect.is_loss} for effect in found.effects
        ],
    }


def outcome(done: Outcome) -> Json:
    current = Membership.objects.filter(profile__in=[one.pk for one in done.profiles], valid_to__isnull=True)
    records: dict[int, list[int]] = {}
    for profile_id, record in current.order_by("record").values_list("profile", "record"):
        records.setdefault(profile_id, []).append(record)
    return {
        "operation": done.operation.pk,
        "profiles": [{"public_id": one.public_id, "records": records.get(one.pk, [])} for one in done.profiles],
    }


def explanation(found: Explanation, verification: Verification | None) -> Json:
    weakest = found.weakest
    return {
        "verified": None
        if verification is None
        else {
            "by": verification.by,
            "at": verification.at,
            "reason": verification.reason,
            "records_since": verification.unverified,
        },
        "steps": [_step(step) for step in found.steps],
        "more_steps": found.more_steps,
        "weakest": None if weakest is None else {**_link(weakest.link), "records_without_it": weakest.records},
        "refused": [_refused(one) for one in found.refused],
        "more_refused": found.more_refused,
        "decided": [_event(event) for event in found.events],
    }


def _told(told: Told) -> Json:
    record = told.record
    return {"id": record.pk, "source": record.source.slug, "kind": record.kind, "external_id": told.external_id}


def _step(step: Step) -> Json:
    return {
        "record": _told(step.told),
        "received_at": step.told.record.received_at,
        "held_unseen": step.is_held_unseen,
        "links": [_link(link) for link in step.links],
    }


def _link(link: Link) -> Json:
    return {
        "rule": link.rule,
        "records": [_told(link.some), _told(link.other)],
        "key": link.key or None,
        "value": link.value or None,
        "by": link.by or None,
        "reason": link.reason or None,
        "at": link.at,
        "score": link.score,
        "evidence": _weighing(link.weighing),
    }


def _weighing(weighing: Weighing | None) -> Json | None:
    if weighing is None:
        return None
    fields = [{"field": str(bar.label), "weight": bar.weight} for bar in weighing.bars]
    return {"model": weighing.model, "prior": weighing.prior.weight, "fields": fields}


def _refused(refused: Refused) -> Json:
    return {
        "why": refused.why,
        "record": None if refused.record is None else _told(refused.record),
        "profile": None if refused.customer is None else refused.customer.profile.public_id,
        "key": refused.key or None,
        "value": refused.value or None,
        "by": refused.by or None,
        "reason": refused.reason or None,
        "at": refused.at,
        "evidence": _weighing(refused.weighing),
    }


def _event(event: Event) -> Json:
    return {
        "what": event.what,
        "kind": event.kind,
        "by": event.by or None,
        "at": event.at,
        "reason": event.reason or None,
        "operation": event.operation_id,
        "records": [_told(told) for told in event.records],
    }
