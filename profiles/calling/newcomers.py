"""A caller whom nobody knows becomes a customer: a record of this platform's own source, by the digest's own steps.

What an agent types is no evidence: it joins nobody. Whether the new customer is somebody whom another system knows is
for matching to propose and for stewards to say.
"""

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from cdp_site.core import audit
from cdp_site.core.errors import ConflictProblem, MendableError
from cdp_site.core.ids import uuid7
from cdp_site.core.models import User
from ingestion import suppression
from ingestion.models import Source
from ingestion.normalise.traits import NormalisedTraits, normalise_traits
from profiles import identifiers, intake, signals
from profiles.calling import callers, lines, numbers, verifying
from profiles.models import Membership, Profile, SourceRecord
from profiles.reading import FALLBACK_REGIONS
from profiles.resolution import pipeline
from profiles.statements import RecordKey, Statement
from profiles.touchpoints import INTERNAL_SOURCE

LONGEST_NAME = 100


@transaction.atomic
def create(*, first_name: str, last_name: str, email: str = "", by: User) -> Profile:
    """The caller as a new customer, with the number that calls; open for this call, since all of it was just said.

    Raises MendableError for a name or address that cannot be used, ConflictProblem outside of a call with a number.
    """
    pipeline.share_merge_lock()
    call = lines.locked(by)
    number = numbers.of_call(call)
    if number is None or call.verified_at is not None:
        raise ConflictProblem(_("There is no new customer to create in this call."), hint=_("Open the call again."))
    traits = _traits(first_name, last_name, email, number)
    source = Source.objects.get(slug=INTERNAL_SOURCE)
    statement = _statement(source, traits)
    _let_back_in(statement, source, traits, by)
    owner = intake.take([statement], intake.find({statement.key}), by=audit.actor_name(by))[statement.key]
    signals.records_resolved.send(
        sender=None, profile_ids=frozenset([owner.profile_id]), event_type_ids=frozenset[int]()
    )
    profile = Profile.objects.get(pk=owner.profile_id)
    audit.record(action="customer.create", target=profile, by=by, fields=traits.attributes)
    call.profile, call.record_id = profile, owner.record_id
    call.save(update_fields=["profile", "record"])
    caller = callers.one(call, by=by)
    # With a model in use matching may have recognised somebody at once: they have to be verified like anybody.
    is_alone = Membership.objects.filter(profile=profile, valid_to__isnull=True).count() == 1
    if caller is not None and is_alone:
        verifying.open_customer(call, caller, by=by, fields=frozenset({"created"}))
    return profile


def _traits(first_name: str, last_name: str, email: str, number: str) -> NormalisedTraits:
    stated = {"first_name": first_name.strip(), "last_name": last_name.strip(), "phone": number, "email": email.strip()}
    traits = normalise_traits(
        {name: value for name, value in stated.items() if value},
        region=settings.COMPANY_PHONE_REGION,
        fallback_regions=FALLBACK_REGIONS,
    )
    if not traits.names:
        raise MendableError(_("A customer needs a name."), field="first_name")
    for problem in traits.problems:
        if problem.trait == "email":
            raise MendableError(_("This is not an e-mail address that anybody could have."), field="email")
        if problem.trait != "phone":
            raise MendableError(_("This is not a name."), field=problem.trait)
    return traits


def _statement(source: Source, traits: NormalisedTraits) -> Statement:
    now = timezone.now()
    stated = identifiers.read(traits.identifiers, namespace=source.slug, is_public_key=False)
    return Statement(
        key=RecordKey(source.pk, SourceRecord.Kind.IDENTIFIED.value, f"call-{uuid7()}"),
        occurred_at=now,
        received_at=now,
        traits=traits,
        identifiers=tuple(identifier._replace(is_evidence=False) for identifier in stated),
    )


def _let_back_in(statement: Statement, source: Source, traits: NormalisedTraits, by: User) -> None:
    """Somebody who was erased and now asks to be a customer comes back by their own act."""
    if not suppression.holds_anybody():
        return
    keys = ((suppression.RECORD, source.slug, statement.key.external_id),)
    candidate = suppression.Candidate(
        identifiers=(*keys, *((one.kind, one.namespace, one.value) for one in statement.identifiers)),
        names=tuple(name.full for name in traits.names),
        occurred_at=statement.occurred_at,
        is_own_act=True,
    )
    if suppression.matches([candidate], by=by):
        raise ConflictProblem(_("This customer cannot be created."), hint=_("Ask compliance."))
