"""Questions for the next call: a pair that nobody can decide is put to the customer, by whoever talks to them.

An agent's answer is a label, and it moves nothing. "Yes" brings the pair back to the front of the review, where a
steward sees the answer and decides; "no" settles it: matching neither joins the two nor asks again, until the answer
is taken back. Whoever asked for the call is free to look at the pair again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from cdp_site.core import audit
from cdp_site.core.access import scope_of
from cdp_site.core.errors import ConflictProblem, NotFoundProblem
from cdp_site.core.models import User
from cdp_site.core.templatetags.formats import masked
from profiles import overview, relatives
from profiles.matching import labels
from profiles.models import MatchLabel, Profile, ReviewPair
from profiles.naming import shown_name

Verdict, State = MatchLabel.Verdict, ReviewPair.State
ANSWERS = frozenset({Verdict.SAME, Verdict.DIFFERENT, Verdict.UNSURE})
_MOST_LOOKED_AT = 20  # questions of one customer, of which the first that may be asked is


@dataclass(frozen=True, slots=True)
class Question:
    """What to ask: only what the agent may see of the other record, and no more of a number than its end."""

    pair_id: int
    text: str


def question(profile: Profile, *, by: User, without: frozenset[int] = frozenset()) -> Question | None:
    """The question that is worth most, or None. Of a pair of which the agent may not see both sides nothing is asked.

    Args:
        without: pairs that are not to be asked about now.

    One query when nothing is to be asked, else at most nine beside the scope.
    """
    scope = scope_of(by)
    here = {record.pk: record for record in overview.records_of([profile], scope)[profile.pk]}
    pairs = _open(Q(record_a__in=list(here)) | Q(record_b__in=list(here))).exclude(pk__in=without)
    waiting = [
        (pair, *((pair.record_a_id, pair.record_b_id) if pair.record_a_id in here else _turned(pair)))
        for pair in pairs.order_by("-worth", "pk")[:_MOST_LOOKED_AT]
        if (pair.record_a_id in here) != (pair.record_b_id in here)
    ]
    if not waiting:
        return None
    customers = relatives.customers_of({there for _pair, _here, there in waiting}, by=by)
    others = {record.pk: record for record in overview.records_by_id(customers, scope)}
    values = overview.values_of({number: [record] for number, record in (others | here).items()}, scope)
    stated = relatives.stated_by(others.keys() | here.keys(), scope)
    known = {key for number in here for key in stated[number]}
    names = {shown_name(values[number]) for number in here}
    for pair, _number, there in waiting:
        if there in others:
            text = _text(values[there], {key: raw for key, raw in stated[there].items() if key not in known}, names)
            if text:
                return Question(pair.pk, text)
    return None


def _turned(pair: ReviewPair) -> tuple[int, int]:
    return pair.record_b_id, pair.record_a_id


def _open(which: Q) -> Any:
    return ReviewPair.objects.filter(
        which, asks_at_call=True, is_held_out=False, state__in=(State.WAITING, State.SECOND)
    )


def _text(values: Mapping[str, Any], stated: Mapping[tuple[str, str, str], str], names: set[str]) -> str:
    """What the other record says and this customer's do not; "" when that is nothing that can be asked."""
    name = shown_name(values)
    of_kind = {kind: raw for (kind, _namespace, _value), raw in sorted(stated.items(), reverse=True)}
    phone, email = of_kind.get("phone", ""), of_kind.get("email", "")
    said = {"name": name, "digits": "".join(filter(str.isdigit, phone))[-4:], "email": masked(email)}
    if name and name not in names:
        if phone:
            return _("Is the customer also known as %(name)s, with a phone number ending in %(digits)s?") % said
        if email:
            return _("Is the customer also known as %(name)s, with the e-mail address %(email)s?") % said
        return _("Is the customer also known as %(name)s?") % said
    if phone:
        return _("Does the customer also have a phone number ending in %(digits)s?") % said
    if email:
        return _("Does the customer also have the e-mail address %(email)s?") % said
    return ""


@transaction.atomic
def answer(*, profile: Profile, pair_id: int, verdict: str, by: User) -> MatchLabel:
    """Keep what the customer said: a label of the agent's.

    Raises NotFoundProblem when there is no such question about the customer that the agent may see, ConflictProblem
    when a colleague has heard the answer already.
    """
    pair = _locked(pair_id, profile, by)
    if not pair.asks_at_call or pair.state not in (State.WAITING, State.SECOND) or verdict not in ANSWERS:
        raise ConflictProblem(_("This question has been answered already."))
    label = labels.give(pair=pair, verdict=verdict, by=by, origin=MatchLabel.Origin.CALL)
    pair.asks_at_call = False
    if verdict == Verdict.DIFFERENT:
        pair.state, pair.settled_at, pair.is_flagged = State.SETTLED, timezone.now(), False
    else:
        pair.is_flagged = pair.is_flagged or verdict == Verdict.SAME
        _free_for_who_asked(pair)
    pair.claimed_by, pair.claimed_until = None, None
    pair.save()
    audit.record(action="match.call_answer", target=pair, by=by, fields=["verdict"])
    return label


def _free_for_who_asked(pair: ReviewPair) -> None:
    """Their "cannot be told" was a wish for this answer: it keeps the pair from them no more."""
    asked = MatchLabel.objects.filter(
        record_a=pair.record_a_id, record_b=pair.record_b_id, verdict=Verdict.UNSURE, undone_at__isnull=True
    )
    asked.exclude(origin=MatchLabel.Origin.CALL).update(undone_at=timezone.now())


@transaction.atomic
def take_back(*, profile: Profile, label_id: int, by: User) -> None:
    """The agent's own answer counts for nothing, and the question waits for a call again.

    Raises NotFoundProblem when it is nobody's or somebody else's, ConflictProblem when it does not stand any more or a
    steward has decided about the pair since.
    """
    own = MatchLabel.objects.filter(pk=label_id, by=by, origin=MatchLabel.Origin.CALL).first()
    if own is None:
        raise NotFoundProblem(_("There is no such answer of yours."))
    pair = _locked(_pair_of(own), profile, by)
    label = MatchLabel.objects.select_for_update().get(pk=own.pk)
    later = MatchLabel.objects.filter(
        record_a=label.record_a_id, record_b=label.record_b_id, undone_at__isnull=True, pk__gt=label.pk
    )
    if label.undone_at is not None or later.exclude(by=by).exists():
        raise ConflictProblem(_("A colleague has decided about this since."))
    labels.take_back(label=label, by=by)
    pair.asks_at_call, pair.state, pair.settled_at = True, State.WAITING, None
    pair.save()
    audit.record(action="match.call_unanswer", target=pair, by=by, fields=["verdict"])


def _pair_of(label: MatchLabel) -> int:
    pairs = ReviewPair.objects.filter(record_a=label.record_a_id, record_b=label.record_b_id)
    number: int | None = pairs.values_list("pk", flat=True).first()
    return number or 0


def _locked(pair_id: int, profile: Profile, by: User) -> ReviewPair:
    """The pair when one of its records is the customer's and the agent may see both."""
    pair: ReviewPair | None = ReviewPair.objects.select_for_update().filter(pk=pair_id).first()
    ends = set() if pair is None else {pair.record_a_id, pair.record_b_id}
    customers = relatives.customers_of(ends, by=by)
    if pair is None or customers.keys() != ends or profile not in {row.profile for row in customers.values()}:
        raise NotFoundProblem(_("There is no such question about this customer."))
    return pair
