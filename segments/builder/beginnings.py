"""The nine segments that a retailer asks for first, as definitions to begin with and to change.

Orders are counted by the order and not by its event, so that what was cancelled or given back does not count. The
spans are those of a shop whose customers buy every few weeks: the sentence says them, and the builder changes them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any as Json

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from cdp_site.core.errors import Text
from segments.definition import nodes
from segments.definition.fields import Fields
from segments.definition.nodes import Operator
from segments.definition.parse import DefinitionProblem, Problem, parse

HIGH_SPEND = 20_000
"""In the company's currency and a year; a company knows its own better."""


@dataclass(frozen=True)
class Beginning:
    """`name` and `text` as the gallery says them; `where` makes the conditions."""

    key: str
    name: Text
    text: Text
    icon: str
    where: Callable[[], list[Json]]

    @property
    def definition(self) -> dict[str, Json]:
        return {"version": nodes.VERSION, "where": {"kind": "all", "of": self.where()}}

    def problems(self, fields: Fields) -> tuple[Problem, ...]:
        """What of it the viewer does not have: without data of this kind it finds nobody."""
        try:
            parse(self.definition, fields)
        except DefinitionProblem as problem:
            return problem.problems
        return ()


def of_key(key: str) -> Beginning | None:
    return next((one for one in BEGINNINGS if one.key == key), None)


# ── conditions ───────────────────────────────────────────────────────────────────────────────────────────────────────

_EVER: Json = {"kind": "ever"}


def _days(n: int) -> Json:
    return {"kind": "rolling", "n": n, "unit": "days"}


def _orders(operator: Operator, n: int, window: Json, measure: str = "count") -> Json:
    return {
        "kind": "order_total",
        "measure": measure,
        "operator": operator.value,
        "value": n,
        "currency": settings.COMPANY_CURRENCY,
        "window": window,
    }


def _did(event: str, n: int, window: Json, *filters: Json, bound: str = "at_least") -> Json:
    return {
        "kind": "touchpoint",
        "event": event,
        "count": {"bound": bound, "n": n},
        "window": window,
        "filters": list(filters),
    }


# ── the nine ─────────────────────────────────────────────────────────────────────────────────────────────────────────

BEGINNINGS = (
    Beginning(
        "new",
        _("New customers"),
        _("Their first and only order was in the last 30 days."),
        "circle-plus",
        lambda: [_orders(Operator.IS, 1, _EVER), _orders(Operator.IS, 1, _days(30))],
    ),
    Beginning(
        "one-time",
        _("One-time buyers"),
        _("One order ever, and more than 30 days ago."),
        "receipt",
        lambda: [_orders(Operator.IS, 1, _EVER), _orders(Operator.IS, 0, _days(30))],
    ),
    Beginning(
        "repeat",
        _("Repeat buyers"),
        _("At least two orders, one of them in the last 90 days."),
        "refresh",
        lambda: [_orders(Operator.AT_LEAST, 2, _EVER), _orders(Operator.AT_LEAST, 1, _days(90))],
    ),
    Beginning(
        "lapsing",
        _("Lapsing customers"),
        _("Bought more than once, last 90 to 180 days ago."),
        "hourglass",
        lambda: [
            _orders(Operator.AT_LEAST, 2, _EVER),
            _orders(Operator.AT_LEAST, 1, _days(180)),
            _orders(Operator.IS, 0, _days(90)),
        ],
    ),
    Beginning(
        "lost",
        _("Lost customers"),
        _("Have bought, but not in the last year."),
        "logout",
        lambda: [_orders(Operator.AT_LEAST, 1, _EVER), _orders(Operator.IS, 0, _days(365))],
    ),
    Beginning(
        "high-value",
        _("High-value customers"),
        _("Spent at least 20,000 in the last year."),
        "star",
        lambda: [_orders(Operator.AT_LEAST, HIGH_SPEND, _days(365), measure="sum")],
    ),
    Beginning(
        "discount-only",
        _("Discount-only buyers"),
        _("Bought at least twice, and never without a discount."),
        "tag",
        lambda: [
            _orders(Operator.AT_LEAST, 2, _EVER),
            _orders(Operator.IS, 0, _EVER, measure="full_price"),
        ],
    ),
    Beginning(
        "cart-left",
        _("Left a basket behind"),
        _("Put something into the basket in the last 3 days, and ordered nothing in them."),
        "shopping-cart",
        lambda: [_did("Product Added", 1, _days(3)), _did("Order Completed", 0, _days(3), bound="exactly")],
    ),
    Beginning(
        "birthday",
        _("Birthday this month"),
        _("Have their birthday in this month."),
        "calendar",
        lambda: [{"kind": "attribute", "trait": "birth_date", "operator": Operator.ANNIVERSARY_THIS_MONTH.value}],
    ),
)
