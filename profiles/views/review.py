"""The review of pairs: one decision a key, the next pair already there."""

from collections.abc import Sequence
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from cdp_site.core.access import Permission, requires, scope_of
from cdp_site.core.errors import ConflictProblem
from cdp_site.core.htmx import wants_fragment
from profiles import viewing
from profiles.matching import effects, pace, presenting, review, settling
from profiles.matching.labels import Verdict
from profiles.matching.review import Order
from profiles.matching.settling import Wish
from profiles.matching.weighing import weigh
from profiles.models import ReviewPair
from profiles.views.fetch import reader

stewards = requires(Permission.MERGE_PROFILES, Permission.VIEW_CUSTOMERS, Permission.SEE_IDENTIFIERS)

# Pairs in the browser at once: the one on screen, and the next ones, for somebody who is quicker than the server.
AHEAD = 6
MOST_UNDERWAY = 50
LONGEST_ID = 19  # digits of a bigint: what is as long is no id
MOST_ON_BADGE = 999  # every page asks for it
ORDER = "review_order"  # in the session
# What a button says → verdict, and what the person would like.
ANSWERS = {
    **{verdict: (verdict, Wish.NONE) for verdict in Verdict.values},
    "flag": (Verdict.UNSURE, Wish.FLAG),
    "call": (Verdict.UNSURE, Wish.CALL),
}


@stewards
@require_GET
def enter(request: HttpRequest) -> HttpResponse:
    """Where the navigation leads: all rooms of matching are below this address."""
    return redirect("profiles:review")


@stewards
@require_GET
def count(request: HttpRequest) -> HttpResponse:
    """The badge of the navigation: nothing when nothing waits."""
    n = review.waiting_for(reader(request), most=MOST_ON_BADGE + 1)
    return render(request, "profiles/_review_badge.html", {"n": n, "most": MOST_ON_BADGE})


@stewards
@require_GET
def show(request: HttpRequest) -> HttpResponse:
    """The queue, from its first pair; `order` says what comes first and is remembered."""
    user = reader(request)
    if request.GET.get("order") in list(Order):
        request.session[ORDER] = request.GET["order"]
    review.release(by=user)
    context = _answer(request, _next(request, AHEAD))
    return render(
        request, "profiles/review.html", context | {"order": _order(request), "situation": review.situation()}
    )


@stewards
@require_POST
def decide(request: HttpRequest, pair_id: int) -> HttpResponse:
    """A verdict, by the button's name; answered with pairs to come in place of the one that goes."""
    verdict, wish = _verdict(request)
    settling.decide(pair_id=pair_id, verdict=verdict, by=reader(request), wish=wish)
    return _go_on(request)


@stewards
@require_POST
def undo(request: HttpRequest) -> HttpResponse:
    """Take the last decision back; answered with its pair."""
    label = pace.latest(reader(request))
    if label is None:
        raise ConflictProblem(_("There is no decision of yours to take back."))
    return take_back(request, label.pk)


@stewards
@require_POST
def take_back(request: HttpRequest, label_id: int) -> HttpResponse:
    """Take one of the last decisions back; answered with its pair."""
    pair = settling.take_back(label_id=label_id, by=reader(request))
    return _go_on(request, back=pair)


@stewards
@require_POST
def undo_pair(request: HttpRequest, pair_id: int) -> HttpResponse:
    """Take the reader's decision on a pair back that the browser shows again already."""
    pair = get_object_or_404(ReviewPair, pk=pair_id)
    settling.take_back(label_id=settling.label_of(pair, by=reader(request)).pk, by=reader(request))
    return _go_on(request)


@stewards
@require_POST
def change(request: HttpRequest, label_id: int) -> HttpResponse:
    """Another verdict in place of an earlier one."""
    verdict, _wish = _verdict(request)
    settling.change(label_id=label_id, verdict=verdict, by=reader(request))
    return _go_on(request)


@stewards
@require_GET
def show_effects(request: HttpRequest, pair_id: int) -> HttpResponse:
    """What a merge would hang together by and change; asked for when somebody stays with a pair. Nothing of a pair
    that measures: what others think of it is not told."""
    pair = get_object_or_404(ReviewPair, pk=pair_id, is_held_out=False)
    foreseen = effects.foresee(pair, scope=scope_of(reader(request)))
    return render(request, "profiles/_review_effects.html", {"pair": pair, "foreseen": foreseen})


def _verdict(request: HttpRequest) -> tuple[str, Wish]:
    try:
        return ANSWERS[request.POST.get("verdict", "")]
    except KeyError:
        raise Http404 from None


def _numbers(request: HttpRequest, name: str) -> list[int]:
    """Ids of pairs: those that the browser holds, or that were decided there and are on their way."""
    said = (number for number in request.POST.getlist(name) if number.isdecimal() and len(number) < LONGEST_ID)
    return [int(number) for number in said][:MOST_UNDERWAY]


def _order(request: HttpRequest) -> Order:
    return Order(request.session.get(ORDER, Order.WORTH))


def _next(request: HttpRequest, most: int, held: Sequence[int] = ()) -> list[ReviewPair]:
    return review.claim(by=reader(request), most=most, order=_order(request), held=held) if most > 0 else []


def _go_on(request: HttpRequest, back: ReviewPair | None = None) -> HttpResponse:
    """With a script: pairs that fill up what the browser holds; without one: the queue."""
    if not wants_fragment(request):
        return redirect("profiles:review")
    held, decided = _numbers(request, "held"), _numbers(request, "decided")
    context = _answer(request, _next(request, AHEAD - len(held), [*held, *decided]), back=back)
    return render(request, "profiles/_review_answer.html", context)


def _answer(request: HttpRequest, pairs: Sequence[ReviewPair], back: ReviewPair | None = None) -> dict[str, Any]:
    """What page and answers have in common: pairs to come, one that comes back, and how the reader gets on."""
    user = reader(request)
    shown = [*([] if back is None else [back]), *pairs]
    sides = presenting.side_by_side(((pair.record_a_id, pair.record_b_id) for pair in shown), scope=scope_of(user))
    heard = review.heard(shown)
    viewing.log(review.customers_of(shown), by=user, what=viewing.COMPARED)
    items = [
        {
            "pair": pair,
            "sides": sides[pair.record_a_id, pair.record_b_id],
            "weighing": None if pair.is_held_out else weigh(pair.evidence, pair.score),
            "heard": None if pair.is_held_out else heard.get((pair.record_a_id, pair.record_b_id)),
            "is_back": pair is back,
        }
        for pair in shown
        if (pair.record_a_id, pair.record_b_id) in sides
    ]
    return {
        "items": items,
        "progress": pace.progress(user),
        "last": pace.last(user),
        "verdicts": Verdict,
        "most": MOST_ON_BADGE,
    }
