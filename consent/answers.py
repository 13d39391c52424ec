"""What a customer answers when a member of staff asks: a grant for addresses, or a denial, on the agent record."""

from collections.abc import Collection
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from cdp_site.core.access import scope_of
from cdp_site.core.errors import ConflictProblem, MendableError
from cdp_site.core.models import User
from consent import dossier, ledger, notices
from consent.dossier import Dossier
from consent.ledger import Evidence
from consent.models import Channel, ConsentEntry, Purpose
from consent.states import State
from profiles import notes
from profiles.models import Profile
from profiles.resolution import pipeline


def standing_denial(known: Dossier, purpose: Purpose, channel: str) -> ConsentEntry | None:
    """The latest denial that keeps the channel closed, wholly or for an address. A grant overrules it, and what is
    older, when the person has been told of it."""
    denials = [
        verdict.because
        for target, verdict in known.verdicts(purpose).items()
        if target.channel == channel and verdict.state.denies and verdict.because
    ]
    if not denials:
        return None
    latest = max(denials, key=lambda statement: statement.order)
    return next(entry for entry in known.entries[purpose.pk] if entry.pk == latest.id)


@transaction.atomic
def grant(
    *,
    profile: Profile,
    purpose: Purpose,
    channel: Channel,
    addresses: Collection[str],
    evidence: Evidence,
    reference: str,
    overrules: UUID | None,
    by: User,
    by_guardian: bool = False,
) -> list[ConsentEntry]:
    """Record that the person allows the use of these addresses.

    Args:
        overrules: the denial that the person was told of, as `standing_denial` gave it; None when there was none.
        by_guardian: a parent or guardian said it for a minor; without that a minor's answer may have no effect.

    Raises:
        MendableError: no address, or one that the person does not have.
        ConflictProblem: somebody has answered meanwhile, or the person is no longer there.
    """
    known = _open(profile, by)
    usable = {contact.address for contact in known.addresses(channel) if contact.fault is None}
    if channel == Channel.POST:
        addresses = ()  # one address a person, the golden one
    elif not addresses or not usable.issuperset(addresses):
        raise MendableError(
            _("Choose the address that the customer allows."),
            field="addresses",
            hint=_("Only an address that a source has confirmed can be used."),
        )
    denial = standing_denial(known, purpose, channel)
    if (denial.pk if denial else None) != overrules:
        raise ConflictProblem(_("Another answer has just been recorded. Look at it and try again."))
    return ledger.record(
        record=notes.agent_record(profile, by=by),
        purpose=purpose,
        channel=channel,
        state=State.GRANTED,
        evidence=evidence,
        addresses=addresses,
        supersedes_until=denial.occurred_at if denial else None,
        reference=reference,
        by_guardian=by_guardian,
        notice=notices.in_force(purpose),
        by=by,
    )


@transaction.atomic
def deny(
    *,
    profile: Profile,
    purpose: Purpose,
    channel: Channel,
    addresses: Collection[str],
    evidence: Evidence,
    reference: str,
    by: User,
    by_guardian: bool = False,
) -> list[ConsentEntry]:
    """Record that the person does not want these addresses used; none of them: the channel at all. It is a withdrawal
    when a grant stood, else a refusal.

    Raises:
        ConflictProblem: the person is no longer there.
    """
    known = _open(profile, by)
    granted = known.overall(purpose, channel).state is State.GRANTED
    return ledger.record(
        record=notes.agent_record(profile, by=by),
        purpose=purpose,
        channel=channel,
        state=State.WITHDRAWN if granted else State.REFUSED,
        evidence=evidence,
        addresses=addresses,
        reference=reference,
        by_guardian=by_guardian,
        notice=notices.in_force(purpose),
        by=by,
    )


def _open(profile: Profile, by: User) -> Dossier:
    """The dossier, with records kept where they are until the transaction ends."""
    pipeline.share_merge_lock()
    profile.refresh_from_db()
    known = dossier.read(profile, scope=scope_of(by))
    if not known.is_there:
        raise ConflictProblem(_("This customer has just been merged."), hint=_("Open the customer again."))
    return known
