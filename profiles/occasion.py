"""Why this customer probably calls, in one sentence out of what happened lately, with the reason for each part.

Rules and no model: each looks at one matter that makes people call, says it in a few words, and tells from what. The
two most urgent ones make the sentence, with how often the customer has called today. What the reader may not see takes
no part.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import npgettext, pgettext

from cdp_site.core.access import scope_of
from cdp_site.core.models import User
from cdp_site.core.templatetags.formats import day_text, money, plain
from ingestion.models import Source
from profiles import event_text, overview
from profiles.calling.wording import reason_text
from profiles.models import Call, Case, Order, Product, Profile, Touchpoint
from profiles.orders import BIRTH_EVENTS

DAYS_BACK = 30
MOST_EVENTS = 300  # of the days back, the newest; who does more in a month is told of by the newest
MOST_ORDERS = 10
MOST_CLAUSES = 2  # beside the number of calls: more is no sentence that is read while greeting

_OPEN_OUTCOMES = frozenset({"follow_up", "escalated", "call_back", "callback", "open"})
_SOLD_AT_A_DISTANCE = frozenset({Source.Kind.SHOP, Source.Kind.APP, Source.Kind.LINE, Source.Kind.OTHER})
_LOOKS = 3  # at one product within a week: one look is passing by
_BAD_NPS, _BAD_SCORE = 6, 2  # of 10, of 5
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Clause:
    """One matter: `text` in a few words, `because` says from what it was told. Greater `urgency` comes first."""

    code: str
    text: str
    because: str
    urgency: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Occasion:
    """The sentence under a customer's name; without clauses nothing recent tells why they call."""

    clauses: Sequence[Clause]

    @property
    def text(self) -> str:
        return " · ".join(clause.text for clause in self.clauses)


@dataclass(frozen=True, slots=True)
class _Known:
    """What the rules look at, newest first."""

    now: datetime
    events: Sequence[Touchpoint]
    orders: Sequence[Order]
    cases: Sequence[Case]
    products: dict[tuple[str, str], str]

    def latest(self, *names: str, days: int) -> Touchpoint | None:
        """The latest event of these types within so many days."""
        since = self.now - days * _DAY
        return next((one for one in self.events if one.type.name in names and one.occurred_at >= since), None)

    def product(self, event: Touchpoint) -> str:
        """What a product is called in the reader's language, else as the source said it."""
        known = self.products.get(_product_key(event), "")
        return known or event_text.describe(event.type.name, event.properties).subject


def of(profile: Profile, *, by: User) -> Occasion:
    """Why the customer probably calls, as far as the reader may see. Five queries at most beside the scope."""
    scope, now = scope_of(by), timezone.now()
    events = list(
        Touchpoint.objects.filter(profile=profile, occurred_at__gte=now - DAYS_BACK * _DAY, occurred_at__lte=now)
        .within(scope)
        .select_related("type", "source")
        .order_by("-occurred_at", "-id")[:MOST_EVENTS]
    )
    orders = overview.orders_of(profile, scope).filter(version_at__gte=now - DAYS_BACK * _DAY)
    known = _Known(
        now=now,
        events=events,
        orders=list(orders.select_related("source").order_by("-placed_at", "-pk")[:MOST_ORDERS]),
        cases=list(Case.objects.visible_to(by).open().of(profile)[:1]),
        products=_products(events),
    )
    found = [clause for rule in _RULES if (clause := rule(known)) is not None]
    clauses = sorted(found, key=lambda clause: (clause.urgency, clause.at), reverse=True)[:MOST_CLAUSES]
    repeated = _calls(profile, known, by)
    return Occasion([*clauses, repeated] if repeated else clauses)


def _products(events: Iterable[Touchpoint]) -> dict[tuple[str, str], str]:
    """(namespace, number) → the catalogue's name, for products that the events name. One query, or none."""
    keys = {key for event in events if event.type.name in _OF_PRODUCTS and (key := _product_key(event))[1]}
    if not keys:
        return {}
    rows = Product.objects.filter(namespace__in={slug for slug, _sku in keys}, sku__in={sku for _slug, sku in keys})
    return {(row.namespace, row.sku): str(row) for row in rows if row.name or row.name_th}


_OF_PRODUCTS = frozenset({"Product Viewed", "Product Added", "Product Removed"})


def _product_key(event: Touchpoint) -> tuple[str, str]:
    number = event.properties.get("sku") or event.properties.get("product_id") or ""
    return event.source.slug, str(number)[:120]


# --- rules --------------------------------------------------------------------------------------------------------


def _case(known: _Known) -> Clause | None:
    if not known.cases:
        return None
    case = known.cases[0]
    because = _("Opened on %(when)s and not closed.") % {"when": _when(case.opened_at)}
    if case.follow_up_on:
        because += " " + _("To be followed up on %(day)s.") % {"day": day_text(case.follow_up_on)}
    return Clause("case", _("open case: %(subject)s") % {"subject": case.subject}, because, 100, case.opened_at)


def _open_call(known: _Known) -> Clause | None:
    """A call whose matter was left open; or, less urgent, any call of the last days, the less the longer ago."""
    event = known.latest("Call Ended", days=14)
    if event is None:
        return None
    said = {"ago": _ago(event.occurred_at, known.now), "reason": reason_text(event.properties)}
    because = _("Call of %(when)s, told by %(source)s.") % _told(event)
    if str(event.properties.get("outcome", "")) in _OPEN_OUTCOMES:
        text = (
            _("to be followed up, called %(ago)s: %(reason)s")
            if said["reason"]
            else _("to be followed up, called %(ago)s")
        )
        return Clause("call", text % said, because, 90, event.occurred_at)
    text = _("called %(ago)s: %(reason)s") if said["reason"] else _("called %(ago)s")
    urgency = 58 if event.occurred_at > known.now - 3 * _DAY else 38
    return Clause("call", text % said, because, urgency, event.occurred_at)


def _message(known: _Known) -> Clause | None:
    event = known.latest("Message Received", "Message Sent", days=3)
    if event is None or event.type.name != "Message Received":
        return None
    text = _("message of %(ago)s without an answer") % {"ago": _ago(event.occurred_at, known.now)}
    because = _("Message of %(when)s, told by %(source)s; none was sent since.") % _told(event)
    return Clause("message", text, because, 88, event.occurred_at)


def _order(known: _Known) -> Clause | None:
    """The most urgent matter of the last orders."""
    found = [clause for order in known.orders if (clause := _of_order(order, known)) is not None]
    return max(found, key=lambda clause: (clause.urgency, clause.at), default=None)


def _of_order(order: Order, known: _Known) -> Clause | None:
    """What the order's last state makes people call about; after so many days nobody calls about it any more."""
    urgency, text, at, days = _state_of(order, known.now)
    if not known.now - days * _DAY <= at <= known.now:
        return None
    said = {"amount": _amount(order.total, order.currency), "ago": _ago(at, known.now)}
    because = _("Order of %(when)s, told by %(source)s.") % {
        "when": _when(order.placed_at),
        "source": order.source.name,
    }
    return Clause("order", text % said, because, urgency, at)


def _state_of(order: Order, now: datetime) -> tuple[int, str, datetime, int]:
    """(urgency, text, since when, for how many days)."""
    if order.status == Order.Status.CANCELLED:
        return 65, _("order cancelled %(ago)s, %(amount)s"), order.version_at, 14
    if order.refunded:
        return 65, _("money back %(ago)s for an order of %(amount)s"), order.version_at, 14
    if order.delivered_at:
        return 55, _("order delivered %(ago)s, %(amount)s"), order.delivered_at, 5
    if order.shipped_at:
        return 80, _("parcel on its way since %(ago)s, %(amount)s"), order.shipped_at, 14
    if order.paid_at and order.source.kind in _SOLD_AT_A_DISTANCE and now - order.paid_at > 2 * _DAY:
        return 85, _("paid %(ago)s and not sent, %(amount)s"), order.paid_at, DAYS_BACK
    return (60 if now - order.placed_at < 5 * _DAY else 46), _("ordered %(ago)s, %(amount)s"), order.placed_at, 14


def _basket(known: _Known) -> Clause | None:
    """What was put into the basket since the last order, and not taken out again."""
    bought = [order.placed_at for order in known.orders if order.status != Order.Status.CANCELLED]
    bought += [event.occurred_at for event in known.events if event.type.name in BIRTH_EVENTS]
    since = max([*bought, known.now - 14 * _DAY])
    left: dict[object, Touchpoint] = {}
    gone: set[object] = set()
    for event in known.events:
        if event.occurred_at <= since or event.type.name not in ("Product Added", "Product Removed"):
            continue
        which = _product_key(event)[1] or known.product(event)
        if event.type.name == "Product Removed":
            gone.add(which)
        elif which not in gone:
            left.setdefault(which, event)
    if not left:
        return None
    event = next(iter(left.values()))
    what = _named(known.product(event), event)
    text = (
        pgettext("left in it", "basket: %(what)s") % {"what": what}
        if len(left) == 1
        else pgettext("left in it", "basket: %(what)s and %(n)d more") % {"what": what, "n": len(left) - 1}
    )
    because = _("Put into the basket on %(when)s, told by %(source)s; no order since.") % _told(event)
    return Clause("basket", text, because, 75 if event.occurred_at > known.now - 3 * _DAY else 50, event.occurred_at)


def _survey(known: _Known) -> Clause | None:
    event = known.latest("Survey Answered", days=14)
    if event is None:
        return None
    score = event_text.describe(event.type.name, event.properties).score
    worst = _BAD_NPS if str(event.properties.get("survey", "")).casefold() == "nps" else _BAD_SCORE
    if not score.isdecimal() or int(score) > worst:
        return None
    text = _("gave only %(score)s in a survey %(ago)s") % {"score": score, "ago": _ago(event.occurred_at, known.now)}
    return Clause("survey", text, _("Survey of %(when)s, told by %(source)s.") % _told(event), 62, event.occurred_at)


def _mail(known: _Known) -> Clause | None:
    event = known.latest("Email Link Clicked", "Email Opened", days=3)
    subject = event_text.describe(event.type.name, event.properties).subject if event else ""
    if event is None or not subject:
        return None
    has_clicked = event.type.name == "Email Link Clicked"
    text = _("clicked in the mail “%(subject)s” %(ago)s") if has_clicked else _("opened the mail “%(subject)s” %(ago)s")
    said = {"subject": subject, "ago": _ago(event.occurred_at, known.now)}
    because = _("Told by %(source)s on %(when)s.") % _told(event)
    return Clause("mail", text % said, because, 45 if has_clicked else 35, event.occurred_at)


def _looked(known: _Known) -> Clause | None:
    since = known.now - 7 * _DAY
    looks = [one for one in known.events if one.type.name == "Product Viewed" and one.occurred_at >= since]
    named = [(name, event) for event in looks if (name := known.product(event))]
    if not named:
        return None
    (name, n), latest = Counter(name for name, _event in named).most_common(1)[0], dict(reversed(named))
    if n < _LOOKS:
        return None
    text = _("looked at %(what)s %(n)d times in a week") % {"what": name, "n": n}
    because = _("Last on %(when)s, told by %(source)s.") % _told(latest[name])
    return Clause("looked", text, because, 40, latest[name].occurred_at)


def _withdrawn(known: _Known) -> Clause | None:
    event = known.latest("Consent Withdrawn", days=7)
    if event is None:
        return None
    text = _("withdrew consent %(ago)s") % {"ago": _ago(event.occurred_at, known.now)}
    return Clause("consent", text, _("Told by %(source)s on %(when)s.") % _told(event), 30, event.occurred_at)


_RULES: tuple[Callable[[_Known], Clause | None], ...] = (
    _case,
    _open_call,
    _message,
    _order,
    _basket,
    _survey,
    _mail,
    _looked,
    _withdrawn,
)


def _calls(profile: Profile, known: _Known, by: User) -> Clause | None:
    """How often the customer has called today, from the second time on. One query."""
    midnight = timezone.localtime(known.now).replace(hour=0, minute=0, second=0, microsecond=0)
    calls = Call.objects.known_to(by, scope_of(by)).of_profile(profile.pk).taken().since(midnight)
    taken = list(calls.values_list("agent", "ended_at"))
    told = sum(event.type.name == "Call Ended" and event.occurred_at >= midnight for event in known.events)
    # A telephone system that tells of ended calls may tell of those that were taken here.
    n = max(len(taken), told + ((by.pk, None) in taken))
    if n < 2:
        return None
    because = _("Calls taken here, and calls of which sources tell, since midnight.")
    return Clause("calls", _("call no. %(n)d today") % {"n": n}, because, 0, known.now)


# --- words --------------------------------------------------------------------------------------------------------


def _named(product: str, event: Touchpoint) -> str:
    amount = event_text.describe(event.type.name, event.properties).amount
    price = _amount(amount.value, amount.currency) if amount else ""
    return " ".join(text for text in (product, price) if text)


def _amount(value: Decimal, currency: str | None) -> str:
    """Without sign and zeros in the company's currency: 3,990."""
    if currency in (None, settings.COMPANY_CURRENCY):
        return plain(value)
    return money(value, currency)


def _ago(at: datetime, now: datetime) -> str:
    days = (timezone.localdate(now) - timezone.localdate(at)).days
    if days < 1:
        return _("today")
    if days == 1:
        return _("yesterday")
    return npgettext("in a sentence", "%(n)d day ago", "%(n)d days ago", days) % {"n": days}


def _when(at: datetime) -> str:
    local = timezone.localtime(at)
    return f"{day_text(local)} {local:%H:%M}"


def _told(event: Touchpoint) -> dict[str, str]:
    return {"when": _when(event.occurred_at), "source": event.source.name}
