"""An agent's telephone line: a call is announced or begun, taken, and ended; an agent is in one call at a time."""

import hashlib
import secrets
from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from cdp_site.core import audit
from cdp_site.core.access import Permission, may, scope_of
from cdp_site.core.errors import ConflictProblem, MendableError, NotFoundProblem
from cdp_site.core.models import User
from profiles import openings
from profiles.calling import callers, numbers
from profiles.calling.callers import Caller
from profiles.models import Call

TOKEN_LASTS = timedelta(minutes=2)  # from the ringing to the page on the screen
LASTS = timedelta(hours=2)  # a call that nobody has ended is over by then
KEPT = timedelta(days=90)
UNTAKEN_KEPT = timedelta(days=1)  # nobody was asked anything


def current(user: User) -> Call | None:
    """The call that the user is in. One query."""
    call: Call | None = Call.objects.running(of=user, since=timezone.now() - LASTS).first()
    return call


def announce(*, number: str, source_id: int, agent: str = "") -> tuple[Call, str]:
    """A telephone system says that somebody calls; returns the call and the token by which one agent takes it.

    Args:
        number: as the telephone system has it; a call whose number cannot be read is a call all the same.
        agent: the login name of the one who is to take it; empty: whoever opens the token's address first.

    Raises MendableError when nobody who takes calls has that login name.
    """
    meant_for = _agent_named(agent) if agent else None
    token = secrets.token_urlsafe(32)  # 256 random bits
    call = Call.objects.create(
        source_id=source_id,
        token_hash=_hash(token),
        meant_for=meant_for,
        arrived_at=timezone.now(),
        **numbers.kept(numbers.read(number)),
    )
    return call, token


@transaction.atomic
def take(token: str, *, by: User) -> Call:
    """The announced call becomes the agent's; what they were in before ends. Taking it again changes nothing.

    Raises NotFoundProblem for a token that is used, too old, or not for this agent.
    """
    call: Call | None = (
        Call.objects.select_for_update().announced(_hash(token), since=timezone.now() - TOKEN_LASTS).first()
    )
    is_theirs = call is not None and call.ended_at is None and call.agent_id in (None, by.pk)
    if (
        call is None
        or not is_theirs
        or call.meant_for_id not in (None, by.pk)
        or call.source_id is None
        or not scope_of(by).sees_source(call.source_id)
    ):
        raise NotFoundProblem(
            _("This call cannot be opened any more."),
            hint=_("Its link works once and for two minutes. Type the number instead."),
        )
    if call.agent_id is None:
        _end_running(by)
        call.agent = by
        audit.record(action="call.take", target=call, by=by)
        _recognise(call, by)
        call.save()
    return call


@transaction.atomic
def begin(*, number: str, by: User) -> Call:
    """An agent types the number that calls; what they were in before ends. Raises MendableError for no number."""
    read = numbers.read(number)
    if read is None:
        raise MendableError(
            _("This is not a phone number."),
            field="number",
            hint=_("Write it as the telephone shows it: 081 234 5678 or +66 81 234 5678."),
        )
    _end_running(by)
    call = Call(agent=by, arrived_at=timezone.now(), **numbers.kept(read))
    _recognise(call, by)
    call.save()
    audit.record(action="call.begin", target=call, by=by)
    return call


@transaction.atomic
def choose(caller: Caller | None, *, by: User) -> Call:
    """Say which of the number's people is speaking; None: that is open again. Raises ConflictProblem without a call,
    or when the caller is verified as somebody already."""
    call = locked(by)
    if call.verified_at is not None:
        raise ConflictProblem(
            _("The caller of this call is verified already."), hint=_("End the call before another one begins.")
        )
    call.profile = caller.profile if caller else None
    call.record_id = caller.record_id if caller else None
    call.save(update_fields=["profile", "record"])
    audit.record(action="call.choose", target=call, by=by, fields=["profile"])
    return call


@transaction.atomic
def end(*, by: User) -> None:
    """The agent's call is over: its number goes, and what it opened is masked again. Without a call nothing happens."""
    _end_running(by)


def locked(by: User) -> Call:
    """The agent's call, locked until the transaction ends. Raises ConflictProblem when there is none."""
    call: Call | None = Call.objects.select_for_update().running(of=by, since=timezone.now() - LASTS).first()
    if call is None:
        raise ConflictProblem(_("You are in no call."), hint=_("Type the number of the caller."))
    return call


def let_go() -> int:
    """Chore: calls that nobody took or ended are over, and old ones go. Returns how many went."""
    now = timezone.now()
    over = {"ended_at": now, "sealed_number": None}
    Call.objects.not_ended().before(now - LASTS).update(**over)
    Call.objects.not_ended().not_taken().before(now - TOKEN_LASTS).update(**over)
    gone = [Call.objects.before(now - KEPT).delete(), Call.objects.not_taken().before(now - UNTAKEN_KEPT).delete()]
    return sum(by_model.get(Call._meta.label, 0) for _total, by_model in gone)


def _recognise(call: Call, by: User) -> None:
    """A number of one customer needs no choice."""
    people = callers.of_number(call, by=by)
    if len(people) == 1:
        call.profile, call.record_id = people[0].profile, people[0].record_id


def _end_running(by: User) -> None:
    for call in Call.objects.select_for_update().not_ended().filter(agent=by):
        call.ended_at, call.sealed_number = timezone.now(), None
        call.save(update_fields=["ended_at", "sealed_number"])
        openings.close_call(call.pk, by=by)
        audit.record(action="call.end", target=call, by=by)


def _agent_named(name: str) -> User:
    user = User.objects.filter(username=name, is_active=True).first()
    if user is None or not may(user, Permission.EDIT_CUSTOMERS):
        raise MendableError("Nobody of this login name takes calls.", field="agent")
    return user


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
