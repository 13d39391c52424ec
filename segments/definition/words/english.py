"""English: conditions are relative clauses, so that any of them can follow "and", "or" and "those"."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from segments.definition import nodes
from segments.definition.nodes import Bound, ConsentState, LineMeasure, Measure, Operator, PropertyMeasure, Unit
from segments.definition.words.base import Names, choices, number, operands

OPERATORS: Mapping[Operator, str] = {
    Operator.KNOWN: "is known",
    Operator.UNKNOWN: "is not known",
    Operator.IS: "is",
    Operator.IS_NOT: "is not",
    Operator.IN: "is one of",
    Operator.NOT_IN: "is none of",
    Operator.CONTAINS: "contains",
    Operator.NOT_CONTAINS: "does not contain",
    Operator.STARTS_WITH: "starts with",
    Operator.MORE_THAN: "is more than",
    Operator.LESS_THAN: "is less than",
    Operator.AT_LEAST: "is at least",
    Operator.AT_MOST: "is at most",
    Operator.BETWEEN: "is between",
    Operator.ON: "is on",
    Operator.BEFORE: "is before",
    Operator.AFTER: "is after",
    Operator.BETWEEN_DATES: "is between the days",
    Operator.IN_LAST_DAYS: "is in the last … days",
    Operator.IN_NEXT_DAYS: "is in the next … days",
    Operator.MORE_THAN_DAYS_AGO: "is more than … days ago",
    Operator.ANNIVERSARY_TODAY: "has its anniversary today",
    Operator.ANNIVERSARY_IN_NEXT_DAYS: "has its anniversary in the next … days",
    Operator.ANNIVERSARY_IN_LAST_DAYS: "had its anniversary in the last … days",
    Operator.ANNIVERSARY_THIS_MONTH: "has its anniversary this month",
}
OF_NUMBERS: Mapping[Operator, str] = {}
BOUNDS: Mapping[Bound, str] = {Bound.AT_LEAST: "at least", Bound.AT_MOST: "at most", Bound.EXACTLY: "exactly"}
UNITS: Mapping[Unit, str] = {Unit.MINUTES: "minutes", Unit.HOURS: "hours", Unit.DAYS: "days"}
MEASURES: Mapping[Measure, str] = {
    Measure.SUM: "total of orders",
    Measure.AVERAGE: "average order",
    Measure.COUNT: "number of orders",
    Measure.FULL_PRICE: "number of orders without a discount",
}
PROPERTY_MEASURES: Mapping[PropertyMeasure, str] = {
    PropertyMeasure.SUM: "total",
    PropertyMeasure.AVERAGE: "average",
    PropertyMeasure.SMALLEST: "smallest",
    PropertyMeasure.LARGEST: "largest",
    PropertyMeasure.DISTINCT: "number of different values of",
    PropertyMeasure.FIRST: "first",
    PropertyMeasure.LAST: "last",
    PropertyMeasure.MOST_FREQUENT: "most frequent",
}
LINE_MEASURES: Mapping[LineMeasure, str] = {
    LineMeasure.LINES: "number of lines",
    LineMeasure.QUANTITY: "number of pieces",
    LineMeasure.SPENT: "money spent",
}
IS_IN: Mapping[bool, str] = {True: "are in", False: "are not in"}
CONSENT_STATES: Mapping[ConsentState, str] = {
    ConsentState.GRANTED: "granted",
    ConsentState.REFUSED: "refused",
    ConsentState.WITHDRAWN: "withdrawn",
    ConsentState.NEVER: "never asked",
}
WINDOWS: Mapping[str, str] = {
    "ever": "ever",
    "rolling": "in the last",
    "calendar_days": "in calendar days",
    "between": "between two days",
}
GROUPS: Mapping[str, str] = {"all": "all of these", "any": "any of these", "not": "none of these"}
PROPERTIES: Mapping[str, str] = {
    "brand": "brand",
    "campaign": "campaign",
    "category": "category",
    "color": "colour",
    "coupon": "coupon",
    "currency": "currency",
    "discount": "discount",
    "name": "name",
    "outcome": "outcome",
    "price": "price",
    "product_id": "product number",
    "quantity": "quantity",
    "query": "search words",
    "sku": "SKU",
    "subject": "subject",
    "total": "total",
    "url": "address of the page",
    "variant": "variant",
}

_DEEDS: Mapping[str, tuple[str, str]] = {
    "Page Viewed": ("viewed a page", "view a page"),
    "Screen Viewed": ("viewed a screen of the app", "view a screen of the app"),
    "Product Viewed": ("viewed a product", "view a product"),
    "Products Searched": ("searched for products", "search for products"),
    "Product Added": ("put a product into the basket", "put a product into the basket"),
    "Product Removed": ("took a product out of the basket", "take a product out of the basket"),
    "Checkout Started": ("started a checkout", "start a checkout"),
    "Order Completed": ("completed an order", "complete an order"),
    "Order Updated": ("changed an order", "change an order"),
    "Order Refunded": ("got a refund", "get a refund"),
    "Order Cancelled": ("cancelled an order", "cancel an order"),
    "Email Delivered": ("got an e-mail", "get an e-mail"),
    "Email Opened": ("opened an e-mail", "open an e-mail"),
    "Email Link Clicked": ("clicked in an e-mail", "click in an e-mail"),
    "Call Ended": ("called us", "call us"),
    "Message Received": ("sent us a message", "send us a message"),
    "Survey Answered": ("answered a survey", "answer a survey"),
    "Segment Exported": ("were exported in a segment", "get exported in a segment"),
    "Segment Held Out": ("were held out of an exported segment", "get held out of an exported segment"),
}
"""Standard events as deeds: past tense, and the form that follows "did not"."""

_RELATIVE_DAYS: Mapping[Operator, str] = {
    Operator.IN_LAST_DAYS: "is in the last {n} days",
    Operator.IN_NEXT_DAYS: "is in the next {n} days",
    Operator.MORE_THAN_DAYS_AGO: "is more than {n} days ago",
    Operator.ANNIVERSARY_IN_NEXT_DAYS: "has its anniversary in the next {n} days",
    Operator.ANNIVERSARY_IN_LAST_DAYS: "had its anniversary in the last {n} days",
}
_IN_A_SENTENCE: Mapping[Operator, str] = {
    Operator.IS_NOT: "is known and is not",
    Operator.NOT_IN: "is known and is none of",
    Operator.NOT_CONTAINS: "is known and does not contain",
}
"""Where the label of the choice would leave open what becomes of the unknown."""
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True)
class English:
    """See `Words`."""

    operators = OPERATORS
    of_numbers = OF_NUMBERS
    bounds = BOUNDS
    units = UNITS
    measures = MEASURES
    property_measures = PROPERTY_MEASURES
    line_measures = LINE_MEASURES
    is_in = IS_IN
    consent_states = CONSENT_STATES
    windows = WINDOWS
    groups = GROUPS
    properties = PROPERTIES

    def sentence(self, clause: str) -> str:
        return f"People {clause}."

    def joined(self, clauses: list[str], group: type[nodes.Node]) -> str:
        return (" and " if group is nodes.All else " or ").join(clauses)

    def not_among(self, clause: str) -> str:
        return f"who are not among those {clause}"

    def when(self, window: nodes.Window) -> str:
        return _window(window).strip()

    def products(self, condition: nodes.OrderLineCondition) -> str:
        return f"{_filters(condition.filters)}{_window(condition.window)}".strip()

    def attribute(self, condition: nodes.AttributeCondition, names: Names) -> str:
        label = names.traits.get(condition.trait, condition.trait.replace("_", " "))
        return f"whose {label[:1].lower() + label[1:]} {_comparison(condition.comparison)}"

    def touchpoint(self, condition: nodes.TouchpointCondition, names: Names) -> str:
        past, base = _deed(condition.event, names)
        where = _picked(condition, names)
        when = _window(condition.window)
        match condition.count:
            case nodes.Count(n=0) if isinstance(condition.window, nodes.Ever):
                return f"who never {past}{where}"
            case nodes.Count(n=0):
                return f"who did not {base}{where}{when}"
            case nodes.Count(bound=Bound.AT_LEAST, n=1):
                return f"who {past}{where}{when}"
            case nodes.Count(bound=bound, n=n):
                return f"who {past}{where} {BOUNDS[bound]} {_times(n)}{when}"

    def measure(self, condition: nodes.MeasureCondition, names: Names) -> str:
        measured = f"{PROPERTY_MEASURES[condition.measure]} {_property(condition.property)}"
        past, _base = _deed(condition.event, names)
        over = f"over the times they {past}{_picked(condition, names)}{_window(condition.window)}"
        return f"whose {measured}, {over}, {_comparison(condition.comparison)}"

    def sequence(self, condition: nodes.SequenceCondition, names: Names) -> str:
        first, _base = _deed(condition.first.event, names)
        then, _base = _deed(condition.then.event, names)
        same = "" if condition.same is None else f" with the same {_property(condition.same)}"
        without = ""
        if condition.without is not None:
            _past, base = _deed(condition.without.event, names)
            without = f" but did not {base}{_picked(condition.without, names)} in between"
        within = _length(condition.within.n, condition.within.unit)
        return (
            f"who {first}{_picked(condition.first, names)} and within {within} {then}{_picked(condition.then, names)}"
            f"{same}{without}{_window(condition.window)}"
        )

    def order_total(self, condition: nodes.OrderTotalCondition) -> str:
        compared = _comparison(condition.comparison).removeprefix("is ")
        when = _window(condition.window)
        match condition.measure:
            case Measure.SUM:
                return f"whose orders come to {compared} {condition.currency}{when}"
            case Measure.AVERAGE:
                return f"whose average order is {compared} {condition.currency}{when}"
            case Measure.COUNT:
                return f"whose number of orders in {condition.currency} is {compared}{when}"
            case Measure.FULL_PRICE:
                return f"whose number of orders without a discount in {condition.currency} is {compared}{when}"

    def order_line(self, condition: nodes.OrderLineCondition) -> str:
        compared = _comparison(condition.comparison).removeprefix("is ")
        where = f"{_filters(condition.filters)}{_window(condition.window)}"
        match condition.measure:
            case LineMeasure.LINES:
                return f"whose orders have {compared} lines{where}"
            case LineMeasure.QUANTITY:
                return f"who bought {compared} pieces{where}"
            case LineMeasure.SPENT:
                return f"who spent {compared} {condition.currency} on products{where}"

    def consent(self, condition: nodes.ConsentCondition, names: Names) -> str:
        purpose = names.purposes.get(condition.purpose, condition.purpose)
        on = f"“{purpose}” by {names.channels.get(condition.channel, condition.channel)}"
        match condition.state:
            case ConsentState.GRANTED:
                return f"who agreed to {on}"
            case ConsentState.REFUSED:
                return f"who refused {on}"
            case ConsentState.WITHDRAWN:
                return f"who withdrew their consent to {on}"
            case ConsentState.NEVER:
                return f"who were never asked about {on}"

    def reachable(self, condition: nodes.ReachableCondition, names: Names) -> str:
        purpose = names.purposes.get(condition.purpose, condition.purpose)
        channel = names.channels.get(condition.channel, condition.channel)
        return f"who can be reached for “{purpose}” by {channel}"

    def segment(self, condition: nodes.SegmentCondition, names: Names) -> str:
        name = names.segments.get(condition.segment, condition.segment)
        return f"who {IS_IN[condition.is_in]} the segment “{name}”"

    def on_list(self, condition: nodes.ListCondition, names: Names) -> str:
        name = names.lists.get(condition.list, condition.list)
        return f"who are {'' if condition.is_in else 'not '}on the list “{name}”"


def _deed(event: str, names: Names) -> tuple[str, str]:
    label = names.events.get(event, event)
    return _DEEDS.get(event, (f"did “{label}”", f"do “{label}”"))


def _property(name: str) -> str:
    return PROPERTIES.get(name, name)


def _times(n: int) -> str:
    return {1: "once", 2: "twice"}.get(n, f"{number(n)} times")


def _comparison(comparison: nodes.Comparison) -> str:
    operator = comparison.operator
    if comparison.value is None:
        return OPERATORS[operator]
    parts = operands(comparison.value, yes="yes", no="no", day=_day)
    if operator in _RELATIVE_DAYS:
        return _RELATIVE_DAYS[operator].format(n=parts[0]).replace(" 1 days", " 1 day")
    if operator in (Operator.BETWEEN, Operator.BETWEEN_DATES):
        return f"is between {parts[0]} and {parts[1]}"
    written = choices(parts, last=" or ", more=" or one of {n} more")
    return f"{_IN_A_SENTENCE.get(operator, OPERATORS[operator])} {written}"


def _filters(filters: tuple[nodes.PropertyFilter, ...]) -> str:
    if not filters:
        return ""
    clauses = [f"{_property(one.property)} {_comparison(one.comparison)}" for one in filters]
    return f" ({' and '.join(clauses)})"


def _picked(one: nodes.OnTouchpoints, names: Names) -> str:
    """By which properties and through which sources."""
    if not one.sources:
        return _filters(one.filters)
    sources = choices([names.sources.get(source, source) for source in one.sources], last=" or ", more=" or {n} more")
    return f"{_filters(one.filters)} through {sources}"


def _length(n: int, unit: Unit) -> str:
    """ "7 days", "an hour"."""
    return f"{number(n)} {UNITS[unit]}" if n > 1 else f"{'an' if unit is Unit.HOURS else 'a'} {UNITS[unit][:-1]}"


def _window(window: nodes.Window) -> str:
    match window:
        case nodes.Ever():
            return ""
        case nodes.Rolling(n=n, unit=unit):
            return f" in the last {number(n)} {UNITS[unit]}" if n > 1 else f" in the last {UNITS[unit][:-1]}"
        case nodes.CalendarDays(n=1):
            return " today"
        case nodes.CalendarDays(n=n):
            return f" in the last {number(n)} calendar days"
        case nodes.Between(first=first, last=last):
            return f" on {_day(first)}" if first == last else f" from {_day(first)} to {_day(last)}"


def _day(day: dt.date) -> str:
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


ENGLISH = English()
