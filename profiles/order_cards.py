"""An order as one card: its state, what was bought, payment, parcel, refunds, and where the source shows it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.utils.translation import gettext as _

from cdp_site.core.access import Scope
from cdp_site.core.memory import Memory
from profiles import catalogue
from profiles.models import EventType, Order, OrderLine, Refund
from profiles.orders import BIRTH_EVENTS

_births: Memory[str, int] = Memory()


@dataclass(frozen=True, slots=True)
class Step:
    """What happened to the order, and when by the source's clock; `detail` is plain text of the source."""

    icon: str
    label: str
    at: datetime
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A product of the order; names are those of the catalogue in the reader's language, where it knows them."""

    line: OrderLine
    name: str
    color: str
    category: str


@dataclass(frozen=True, slots=True)
class Card:
    order: Order
    lines: Sequence[Line]
    steps: Sequence[Step]
    refunds: Sequence[Refund]

    @property
    def is_partly_refunded(self) -> bool:
        return self.order.status == Order.Status.REFUNDED and 0 < self.order.refunded < self.order.total

    @property
    def foreign_refunds(self) -> Sequence[Refund]:
        """Money given back in another currency than the order's: it cannot be added up with the others."""
        return [refund for refund in self.refunds if refund.currency != self.order.currency]


def are_shown_to(scope: Scope) -> bool:
    """Whether the scope sees the touchpoints that bear the cards. One query a process for a limited scope."""
    if scope.event_type_ids is None:
        return True
    births: Mapping[str, int] = _births
    if len(births) < len(BIRTH_EVENTS):
        births = dict(EventType.objects.filter(name__in=BIRTH_EVENTS).values_list("name", "pk"))
        _births.remember(births)
    return all(scope.sees_event_type(birth) for birth in births.values())


def load(order_ids: Sequence[int], *, until: datetime | None = None) -> dict[int, Card]:
    """Order id → its card. Five queries at most, none without orders.

    Args:
        until: as the order stood then: nothing that happened to it later, with the lines of today.
    """
    if not order_ids:
        return {}
    orders = list(Order.objects.filter(pk__in=order_ids).select_related("source").prefetch_related("lines"))
    if until is not None:
        _set_back(orders, until)
    rows = {order: sorted(order.lines.all(), key=lambda line: line.pk) for order in orders}
    refunds = _refunds([order for order in rows if order.status == Order.Status.REFUNDED or order.refunded], until)
    words = catalogue.words_of_lines(_by_namespace(rows))
    return {
        order.pk: Card(
            order=order,
            lines=[
                Line(
                    line=line,
                    name=words.product(order.source.slug, line.sku) or line.name or line.sku,
                    color=words.term("color", line.color),
                    category=words.term("category", line.category),
                )
                for line in lines
            ],
            steps=_steps(order, refunds[order.pk]),
            refunds=refunds[order.pk],
        )
        for order, lines in rows.items()
    }


def _set_back(orders: Sequence[Order], until: datetime) -> None:
    """Take from the orders, which are shown and never saved, what happened from then on."""
    given_back: dict[int, Decimal] = defaultdict(Decimal)
    for refund in Refund.objects.filter(order__in=orders, at__lt=until):
        given_back[refund.order_id] += refund.amount
    for order in orders:
        for name in ("paid_at", "shipped_at", "delivered_at"):
            at = getattr(order, name)
            if at is not None and at >= until:
                setattr(order, name, None)
        if order.shipped_at is None:
            order.carrier = order.tracking_number = order.tracking_url = ""
        if order.paid_at is None:
            order.payment_method = ""
        order.refunded = given_back[order.pk]
        if order.status == Order.Status.CANCELLED and order.version_at >= until:
            order.status = Order.Status.PLACED
        elif order.status == Order.Status.REFUNDED and not order.refunded:
            order.status = Order.Status.COMPLETED


def _by_namespace(rows: Mapping[Order, Sequence[OrderLine]]) -> dict[str, list[OrderLine]]:
    found: dict[str, list[OrderLine]] = {}
    for order, lines in rows.items():
        found.setdefault(order.source.slug, []).extend(lines)
    return found


def _refunds(orders: Sequence[Order], until: datetime | None) -> Mapping[int, list[Refund]]:
    found: dict[int, list[Refund]] = defaultdict(list)
    if orders:
        for refund in Refund.objects.filter(order__in=orders).order_by("at", "pk"):
            if until is None or refund.at < until:
                found[refund.order_id].append(refund)
    return found


def _steps(order: Order, refunds: Sequence[Refund]) -> list[Step]:
    """In the order of time; the placing itself is the touchpoint that bears the card."""
    steps = []
    if order.paid_at:
        steps.append(Step("credit-card", _("Paid"), order.paid_at, order.payment_method))
    if order.shipped_at:
        parcel = " · ".join(text for text in (order.carrier, order.tracking_number) if text)
        steps.append(Step("send", _("Shipped"), order.shipped_at, parcel))
    if order.delivered_at:
        steps.append(Step("circle-check", _("Delivered"), order.delivered_at))
    if order.status == Order.Status.CANCELLED:
        steps.append(Step("ban", _("Cancelled"), order.version_at))
    steps += [Step("receipt", _("Refunded"), refund.at) for refund in refunds]
    return sorted(steps, key=lambda step: step.at)
