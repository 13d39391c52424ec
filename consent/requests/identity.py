"""Whether it was the person who asked (PDPA s.30, GDPR Art. 12(6)): by a one-time code, or by what staff have seen.

A code goes only to an address that the customer's records have held, unchanged and by our clock, for
`REQUEST_CHANNEL_DAYS`: whoever changes somebody's address and asks for their data the day after gets nothing. Of the
code a keyed hash is kept. It dies after MOST_GUESSES wrong ones, after `REQUEST_CODE_MINUTES`, with its use, and when
another is sent; after MOST_CODES in a day, or MOST_WRONG guesses in all, the person is identified in another way.
"""

import hmac
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Sum
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from cdp_site.core import audit, hashing
from cdp_site.core.errors import ConflictProblem, MendableError
from cdp_site.core.models import User
from consent.contacts import KIND_OF_CHANNEL, fault_of
from consent.models import DataSubjectRequest, IdentityCode, OutgoingMessage
from consent.requests import intake
from consent.requests.machine import locked, move
from consent.requests.messages import Content, post
from ingestion.normalise.identifier_kinds import KIND_OF_TRAIT
from profiles.models import Identifier, Membership, Profile, SourceRecordVersion

DIGITS: Final = 8
MOST_GUESSES: Final = 5
MOST_CODES: Final = 5
MOST_WRONG: Final = 15
ACTOR: Final = "system:identity"

Status = DataSubjectRequest.Status
Check = DataSubjectRequest.IdentityCheck
Channel = IdentityCode.Channel
_TRAIT_OF_KIND: Final = {kind: trait for trait, kind in KIND_OF_TRAIT.items()}


@dataclass(frozen=True, slots=True)
class Way:
    """An address that a code may be sent to. `hint`: what people read of it."""

    channel: str
    identifier: int
    hint: str


def ways(request: DataSubjectRequest) -> list[Way]:
    """Where a code may go, the address known longest first; nothing when nobody is found. Four queries at most."""
    profile = person_of(request)
    if profile is None:
        return []
    cutoff = timezone.now() - timedelta(days=settings.REQUEST_CHANNEL_DAYS)
    kinds = {KIND_OF_CHANNEL[channel]: channel for channel in Channel.values}
    known = Identifier.objects.filter(
        profile=profile, kind__in=kinds, valid_from__lte=cutoff, record__received_at__lte=cutoff
    ).select_related("record")
    held = [one for one in known.order_by("valid_from", "pk") if fault_of(one) is None and one.is_evidence]
    steady = _steady(held, cutoff)
    found: dict[tuple[str, str], Way] = {}
    for one in held:
        if one.pk in steady:
            found.setdefault((one.kind, one.value), Way(kinds[one.kind], one.pk, _hint(one)))
    return list(found.values())


@transaction.atomic
def send_code(*, request_id: UUID, identifier: int, by: User | None) -> IdentityCode:
    """Send a code to an address of `ways`; the request waits for it. `by` None: the public form.

    Raises:
        MendableError: the address is none of them.
        ConflictProblem: identified already or decided on; too many codes or guesses.
    """
    request = locked(request_id, {Status.RECEIVED, Status.IDENTIFYING})
    if request.is_identified:
        raise ConflictProblem(_("It is known already that the person asked."))
    way = next((one for one in ways(request) if one.identifier == identifier), None)
    if way is None:
        raise MendableError(
            _("A code goes only to an address that has been known, unchanged, for %(days)s days.")
            % {"days": settings.REQUEST_CHANNEL_DAYS},
            field="identifier",
            hint=_("Identify the person in another way."),
        )
    _check_limits(request, way)
    now = timezone.now()
    IdentityCode.objects.filter(request=request, used_at__isnull=True, expires_at__gt=now).update(expires_at=now)
    code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"
    expires_at = now + timedelta(minutes=settings.REQUEST_CODE_MINUTES)
    sent = IdentityCode.objects.create(
        request=request,
        channel=way.channel,
        identifier=way.identifier,
        code_hash=_hash(request.pk, code),
        sent_by=by,
        sent_at=now,
        expires_at=expires_at,
    )
    to = Identifier.objects.values_list("value", flat=True).get(pk=way.identifier)
    content = Content(to, _subject(request), _text(request, code))
    post(
        request=request,
        channel=way.channel,
        what=OutgoingMessage.What.CODE,
        content=content,
        identifier=way.identifier,
        give_up_at=expires_at,
    )
    if request.status == Status.RECEIVED:
        move(request, Status.IDENTIFYING)
    audit.record(action="request.code", target=request, by=by or ACTOR, fields=["status"])
    return sent


def prove(*, request_id: UUID, code: str, by: User | None = None) -> bool:
    """Whether this is the code that was sent; then the person is identified, and the code is used up. The same answer
    for a wrong code, an expired one, and a request that there is none of. `by`: who typed it in; None: the person."""
    if not _live(request_id, timezone.now()).exists():
        return False
    with transaction.atomic():
        request = DataSubjectRequest.objects.select_for_update().get(pk=request_id)
        sent: IdentityCode | None = _live(request_id, timezone.now()).select_for_update(of=("self",)).first()
        if sent is None or request.status != Status.IDENTIFYING:
            return False
        typed = "".join(char for char in code if char.isdecimal())
        if not hmac.compare_digest(_hash(request_id, typed), bytes(sent.code_hash)):
            sent.attempts += 1
            sent.save(update_fields=["attempts"])
            return False
        sent.used_at = timezone.now()
        sent.save(update_fields=["used_at"])
        _identified(request, Check.CODE, by=by)
    return True


@transaction.atomic
def see(*, request_id: UUID, check: str, proof_seen: str, by: User) -> DataSubjectRequest:
    """Somebody has seen who asked: in person, by post, by a representative. What was seen is named, never kept.

    Raises:
        MendableError: it cannot be seen like that, or lacks its proof.
        ConflictProblem: identified already or decided on.
    """
    if check not in {*Check.values} - {Check.CODE, Check.SYSTEM}:
        raise MendableError(_("Choose how the person was identified."), field="identity_checked")
    if check in intake.SHOW_PROOF and not proof_seen.strip():
        raise MendableError(_("Say by what the representative showed their authority."), field="proof_seen")
    request = locked(request_id, {Status.RECEIVED, Status.IDENTIFYING})
    if request.is_identified:
        raise ConflictProblem(_("It is known already that the person asked."))
    request.proof_seen = proof_seen.strip()
    request.save(update_fields=["proof_seen"])
    _identified(request, check, by=by)
    return request


@transaction.atomic
def name_person(*, request_id: UUID, profile: Profile, by: User) -> DataSubjectRequest:
    """Say which customer a request of the public form is about. Raises ConflictProblem when that is settled, or such a
    request of theirs is open."""
    request = locked(request_id, {Status.RECEIVED})
    if request.subject is not None:
        raise ConflictProblem(_("It is settled already whom the request is about."))
    if DataSubjectRequest.objects.about_profile(profile).of_kind(request.kind).open().exists():
        raise ConflictProblem(_("This customer's request is already being worked on."))
    request.subject = profile.public_id
    request.requested_by = request.requested_by or by  # another person approves
    request.save(update_fields=["subject", "requested_by"])
    audit.record(action="request.name_person", target=request, by=by, fields=["subject"])
    if request.kind == DataSubjectRequest.Kind.WITHDRAWAL and request.is_identified:
        intake.start_unapproved(request)
    return request


def person_of(request: DataSubjectRequest) -> Profile | None:
    """Whom the request is about, under the profile that they are now."""
    if request.subject is None:
        return None
    named = Profile.objects.select_related("redirect_to").filter(public_id=request.subject).first()
    return (named.redirect_to or named) if named else None


def _identified(request: DataSubjectRequest, check: str, *, by: User | None) -> None:
    request.identity_checked, request.identified_at = check, timezone.now()
    request.save(update_fields=["identity_checked", "identified_at"])
    if request.status == Status.IDENTIFYING:
        move(request, Status.RECEIVED)
    audit.record(action="request.identify", target=request, by=by or ACTOR, fields=["identity_checked"])
    if request.kind == DataSubjectRequest.Kind.WITHDRAWAL and request.subject:
        intake.start_unapproved(request)


def _live(request_id: UUID, now: datetime) -> Any:
    """The code that may still be given back; at most one."""
    return IdentityCode.objects.filter(
        request=request_id, used_at__isnull=True, expires_at__gt=now, attempts__lt=MOST_GUESSES
    )


def _check_limits(request: DataSubjectRequest, way: Way) -> None:
    day_ago = timezone.now() - timedelta(days=1)
    lately = IdentityCode.objects.filter(sent_at__gt=day_ago)
    to_address = lately.filter(identifier=way.identifier).count()
    wrong = request.codes.aggregate(n=Sum("attempts"))["n"] or 0
    if max(to_address, lately.filter(request=request).count()) >= MOST_CODES or wrong >= MOST_WRONG:
        raise ConflictProblem(
            _("Too many codes were sent, or too many were wrong."),
            hint=_("Identify the person in another way, or try again tomorrow."),
            code="too_many",
        )


def _steady(held: Iterable[Identifier], cutoff: datetime) -> set[int]:
    """Those that their record has stated since before the cutoff, by our clock, and that have belonged to this customer
    since then."""
    rows = list(held)
    records = {one.record_id for one in rows}
    moved = set(
        Membership.objects.filter(record__in=records, valid_to__isnull=True, valid_from__gt=cutoff).values_list(
            "record", flat=True
        )
    )
    changed = set(
        SourceRecordVersion.objects.filter(record__in=records, received_at__gt=cutoff).values_list("record", flat=True)
    )
    before: dict[int, dict[str, Any]] = {}
    for version in SourceRecordVersion.objects.filter(record__in=changed, received_at__lte=cutoff).order_by("pk"):
        before[version.record_id] = version.attributes
    return {
        one.pk
        for one in rows
        if one.record_id not in moved and (one.record_id not in changed or _states(before.get(one.record_id, {}), one))
    }


def _states(attributes: dict[str, Any], identifier: Identifier) -> bool:
    stated = attributes.get(_TRAIT_OF_KIND.get(identifier.kind, identifier.kind))
    return identifier.value in (stated if isinstance(stated, list) else [stated])


def _hash(request_id: UUID, code: str) -> bytes:
    return hashing.keyed(f"{request_id}\0{code}", purpose="request.code")


def _hint(identifier: Identifier) -> str:
    """Enough to tell two addresses apart: the end of a number, the first letter and the domain of a mail address."""
    if identifier.kind == "email":
        local, _at, domain = identifier.value.partition("@")
        return f"{local[:1]}…@{domain}"
    return f"… {identifier.value[-4:]}"


def _subject(request: DataSubjectRequest) -> str:
    return " / ".join(_in_both(lambda: _("Code for your request %(reference)s") % {"reference": request.reference}))


def _text(request: DataSubjectRequest, code: str) -> str:
    """Thai and English: which of the two somebody reads is not known."""
    said = {"code": code, "reference": request.reference, "minutes": settings.REQUEST_CODE_MINUTES}
    lines = _in_both(lambda: _said(said))
    if settings.PUBLIC_URL:
        lines.append(settings.PUBLIC_URL.rstrip("/") + reverse("consent:prove_public", args=[request.pk]))
    return "\n".join(lines)


def _said(said: dict[str, object]) -> str:
    return (
        _(
            "%(code)s is your code for the request %(reference)s about your data. It holds for %(minutes)s minutes. If"
            " you did not ask, give it to nobody."
        )
        % said
    )


def _in_both(say: Callable[[], str]) -> list[str]:
    texts = []
    for language in ("th", "en"):
        with translation.override(language):
            texts.append(say())
    return texts
