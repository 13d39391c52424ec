"""Verification of a caller: facts are compared here, right or wrong is all that leaves, and guessing ends soon.

Answers are kept nowhere. What is kept is which fact was asked about whom, and whether it was right.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from cdp_site.core import audit
from cdp_site.core.access import scope_of
from cdp_site.core.errors import ConflictProblem, MendableError
from cdp_site.core.models import User
from profiles import openings, overview
from profiles.calling import callers, facts, lines
from profiles.calling.callers import Caller
from profiles.calling.facts import Kind
from profiles.models import Call, CallerCheck, SourceRecord

# A caller may mishear or mistype; a guesser has no fourth try, nor a fresh start with the next call or colleague.
MOST_WRONG_IN_CALL = 3
MOST_WRONG_OF_CUSTOMER = 5
MOST_WRONG_OF_AGENT = 20
COUNTED_FOR = timedelta(days=1)
_ORDERS_BACK = timedelta(days=730)
_MOST_ORDERS = 200
_LOCK = 0xCA11  # namespace of the locks on customers who are asked about


class LockedProblem(MendableError):
    """Too many wrong answers."""

    status = 429
    code = "too_many_tries"


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a verification is. `askable`: what can still be asked; `left`: wrong answers that are still allowed."""

    askable: tuple[Kind, ...]
    right: frozenset[Kind]
    left: int

    @property
    def right_texts(self) -> list[str]:
        """What was answered rightly, in words."""
        return [str(facts.QUESTIONS[kind].text) for kind in Kind if kind in self.right]

    @property
    def is_possible(self) -> bool:
        """Whether enough is known of the customer to tell that it is them."""
        return facts.are_enough((*self.askable, *self.right))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of answers, by kind of fact. `left`: wrong answers that are still allowed."""

    right: frozenset[Kind]
    wrong: frozenset[Kind]
    unreadable: frozenset[Kind]
    left: int
    is_verified: bool


def standing(call: Call, caller: Caller, *, by: User) -> Standing:
    """How far the verification of this caller is. Seven queries at most beside the scope."""
    known = _known(caller, by)
    right = _right(call, caller)
    return Standing(
        askable=tuple(kind for kind in known if kind not in right),
        right=right,
        left=_left(call, caller, by),
    )


@transaction.atomic
def check(answers: Mapping[Kind, str], *, by: User) -> Outcome:
    """Compare what the caller says with what is known; two facts from two papers open the customer for this call.

    Raises ConflictProblem when no customer is chosen in the agent's call, LockedProblem after too many wrong answers.
    """
    call = lines.locked(by)
    caller = callers.one(call, by=by)
    if caller is None or call.verified_at is not None:
        raise ConflictProblem(_("There is nobody to verify in this call."), hint=_("Open the call again."))
    _lock(caller)
    known, right, left = _known(caller, by), _right(call, caller), _left(call, caller, by)
    if left == 0:
        raise LockedProblem(
            _("Too many wrong answers: this customer cannot be verified in this call."),
            hint=_("Say nothing of the customer's data. Offer to call back on the number that we have."),
        )
    now, compared, unreadable = timezone.now(), dict[Kind, bool](), set[Kind]()
    for kind in known:
        if kind in right or not answers.get(kind, "").strip() or left == 0:
            continue
        said = facts.read(kind, answers[kind][: facts.LONGEST])
        if said is None:
            unreadable.add(kind)
            continue
        compared[kind] = said in known[kind]
        left -= not compared[kind]
    CallerCheck.objects.bulk_create(
        CallerCheck(call=call, record_id=caller.record_id, profile=caller.profile, fact=kind, is_right=is_right, at=now)
        for kind, is_right in compared.items()
    )
    if compared:
        audit.record(action="call.check", target=caller.profile, by=by, fields=compared)
    right |= {kind for kind, is_right in compared.items() if is_right}
    is_verified = facts.are_enough(right)
    if is_verified:
        open_customer(call, caller, by=by, fields=right)
    return Outcome(
        right=right,
        wrong=frozenset(kind for kind, is_right in compared.items() if not is_right),
        unreadable=frozenset(unreadable),
        left=left,
        is_verified=is_verified,
    )


def open_customer(call: Call, caller: Caller, *, by: User, fields: frozenset[str] | frozenset[Kind]) -> None:
    """The caller is who they say: note it, and open the customer until the call ends. Belongs into a transaction."""
    call.verified_at = timezone.now()
    call.save(update_fields=["verified_at"])
    audit.record(action="call.verify", target=caller.profile, by=by, fields=fields)
    openings.open_for_call(caller.profile, call_id=call.pk, by=by)


def _known(caller: Caller, by: User) -> dict[Kind, frozenset[str]]:
    """What the customer can be asked: of what the agent's department may see, since an answer tells of it; and of what
    systems say, since an agent who typed a fact would know the answer to it."""
    scope = scope_of(by)
    told = overview.records_of([caller.profile], scope)[caller.profile.pk]
    records = [record for record in told if record.kind != SourceRecord.Kind.AGENT]
    traits = overview.traits_of(records)
    seen = {name for name, trait in traits.items() if scope.sees_trait_group(trait.group.slug)}
    attributes = [{name: value for name, value in one.attributes.items() if name in seen} for one in records]
    orders = overview.orders_of(caller.profile, scope).filter(placed_at__gte=timezone.now() - _ORDERS_BACK)
    return facts.known(attributes, orders.order_by("-placed_at", "-pk")[:_MOST_ORDERS])


def _right(call: Call, caller: Caller) -> frozenset[Kind]:
    checks = CallerCheck.objects.right().about(caller.profile.pk).filter(call=call)
    return frozenset(Kind(fact) for fact in checks.values_list("fact", flat=True))


def _left(call: Call, caller: Caller, by: User) -> int:
    """How many wrong answers are still allowed, by the strictest of three counts."""
    wrong = CallerCheck.objects.wrong().since(timezone.now() - COUNTED_FOR)
    return max(
        0,
        min(
            MOST_WRONG_IN_CALL - wrong.filter(call=call).count(),
            MOST_WRONG_OF_CUSTOMER - wrong.about(caller.profile.pk).count(),
            MOST_WRONG_OF_AGENT - wrong.asked_by(by).count(),
        ),
    )


def _lock(caller: Caller) -> None:
    """One at a time for a customer: two colleagues at once would each find the last try free."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_LOCK, caller.profile.pk % 2**31])
