"""A draft as the rows and controls that the page shows."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any as Json

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from segments.builder.controls import Add, Control, Line, Makers, Row, by_value, is_at, values_url, word
from segments.builder.draft import GROUPS
from segments.builder.fitting import AMOUNTS, NEVER, REACHABLE, properties_of
from segments.builder.popularity import NOTHING_KNOWN, Popularity
from segments.definition import nodes
from segments.definition.fields import OPERATORS, Field, Fields, FieldType
from segments.definition.nodes import OPERANDS, Bound, LineMeasure, Measure, Operand, Operator, PropertyMeasure
from segments.definition.parse import Problem
from segments.definition.words import Words

Part = Mapping[str, Json]

_OF_NUMBERS = frozenset(
    {PropertyMeasure.SUM, PropertyMeasure.AVERAGE, PropertyMeasure.SMALLEST, PropertyMeasure.LARGEST}
)


@dataclass(frozen=True)
class Painter:
    """Makes rows of a fitted draft for one viewer in one language. `own`: id of the segment that is written, which
    cannot ask for itself."""

    fields: Fields
    words: Words
    problems: Sequence[Problem] = ()
    popularity: Popularity = field(default=NOTHING_KNOWN)
    own: str = ""

    def rows(self, definition: Mapping[str, Json]) -> Row:
        return self._group(definition["where"], "/where", level=1, of=1, at=0)

    @cached_property
    def _make(self) -> Makers:
        return Makers(self.problems)

    def _node(self, node: Part, place: str, *, level: int, of: int, at: int, enters: bool) -> Row:
        if node["kind"] in GROUPS:
            return self._group(node, place, level=level, of=of, at=at, enters=enters)
        lines, title, icon = self._kinds[node["kind"]]
        return Row(
            place=place,
            kind=node["kind"],
            title=title,
            icon=icon,
            problems=[one for one in self.problems if is_at(one.place, place)],
            is_first=at == 0,
            is_last=at == of - 1,
            can_enter=enters or level < nodes.MAX_DEPTH,
            can_leave=level > 1,
            lines=list(lines(node, place)),
        )

    def _group(self, node: Part, place: str, *, level: int, of: int, at: int, enters: bool = False) -> Row:
        beside = [False, *(member["kind"] in GROUPS for member in node["of"]), False]
        members = [
            self._node(
                member,
                f"{place}/of/{n}",
                # A group's own level; that of a condition is its group's.
                level=level + 1 if member["kind"] in GROUPS else level,
                of=len(node["of"]),
                at=n,
                enters=beside[n] or beside[n + 2],
            )
            for n, member in enumerate(node["of"])
        ]
        own = {place, f"{place}/of", f"{place}/kind"}
        depth = level + _depth(node) - 1
        return Row(
            place=place,
            kind="group",
            title=_("Group"),
            icon="sitemap",
            problems=[one for one in self.problems if one.place in own],
            is_first=at == 0,
            is_last=at == of - 1,
            can_enter=depth < nodes.MAX_DEPTH,
            can_leave=level > 2,
            members=members,
            mode=self._make.select(
                f"{place}/kind", _("How many conditions must hold"), self.words.groups, node["kind"]
            ),
            adds=list(self._adds(place, may_nest=level < nodes.MAX_DEPTH)),
        )

    def _adds(self, place: str, *, may_nest: bool) -> Iterator[Add]:
        yield Add(f"add-attribute {place}", _("Attribute"), "user-circle")
        yield Add(f"add-touchpoint {place}", _("Behaviour"), "click")
        yield Add(f"add-sequence {place}", _("First this, then that"), "arrow-right")
        yield Add(f"add-order_total {place}", _("Orders"), "receipt")
        yield Add(f"add-consent {place}", _("Consent"), "shield-check")
        if self.fields.segments:
            yield Add(f"add-segment {place}", _("Segment"), "users-group")
        if self.fields.lists:
            yield Add(f"add-list {place}", _("List"), "checklist")
        if may_nest:
            yield Add(f"add-group {place}", _("Group"), "sitemap")

    # -- conditions -------------------------------------------------------------------------------------------

    @cached_property
    def _kinds(self) -> Mapping[str, tuple[Callable[[Part, str], Iterator[Line]], str, str]]:
        return {
            "attribute": (self._attribute, _("Attribute"), "user-circle"),
            "touchpoint": (self._touchpoint, _("Behaviour"), "click"),
            "measure": (self._measure, _("Behaviour"), "click"),
            "sequence": (self._sequence, _("First this, then that"), "arrow-right"),
            "order_total": (self._order_total, _("Orders"), "receipt"),
            "order_line": (self._order_line, _("Orders"), "receipt"),
            "consent": (self._consent, _("Consent"), "shield-check"),
            "reachable": (self._consent, _("Consent"), "shield-check"),
            "segment": (self._segment, _("Segment"), "users-group"),
            "list": (self._list, _("List"), "checklist"),
        }

    def _attribute(self, node: Part, place: str) -> Iterator[Line]:
        labels = {name: one.label for name, one in self.fields.traits.items()}
        trait = self._make.select(
            f"{place}/trait", _("Attribute"), labels, node["trait"], opens=_("Choose…"), notes=self.popularity.traits
        )
        url = values_url(trait=node["trait"])
        yield self._comparison_line(node, place, trait, self.fields.traits.get(node["trait"]), url)

    def _touchpoint(self, node: Part, place: str) -> Iterator[Line]:
        count = node["count"]
        never = count["bound"] == Bound.EXACTLY.value and count["n"] == 0
        how = self._how_often(f"{place}/count/bound", NEVER if never else count["bound"])
        counted = [] if never else self._times(f"{place}/count", count["n"])
        yield Line([*self._event(node, place), how, *counted, *self._window(node["window"], f"{place}/window")])
        yield from self._picking(node, place)

    def _measure(self, node: Part, place: str) -> Iterator[Line]:
        known = properties_of(node["event"], self.fields)
        measure = PropertyMeasure(node["measure"])
        fitting = {
            name: one
            for name, one in known.items()
            if measure not in _OF_NUMBERS or one.type in (FieldType.NUMBER, FieldType.ANY)
        }
        of = self._make.select(
            f"{place}/property",
            _("Property"),
            {name: one.label for name, one in fitting.items()},
            node["property"],
            opens=_("Choose…"),
            notes=self.popularity.properties.get(node["event"], {}),
        )
        if measure.is_number:
            compared = [of, *self._amount(node, place)]
        else:
            url = values_url(event=node["event"], property=node["property"])
            compared = list(self._comparison_line(node, place, of, known.get(node["property"]), url).controls)
        how = self._how_often(f"{place}/measure", node["measure"])
        grows = self._grows(node, place) if not measure.is_number and node["property"] else ()
        window = self._window(node["window"], f"{place}/window")
        yield Line([*self._event(node, place), how, *compared, *window], adds=grows)
        yield from self._picking(node, place)

    def _sequence(self, node: Part, place: str) -> Iterator[Line]:
        first, then = node["first"], node["then"]
        yield Line([word(place, pgettext("sequence", "first")), *self._event(first, f"{place}/first")])
        yield from self._picking(first, f"{place}/first")
        within = f"{place}/within"
        yield Line(
            [
                word(place, pgettext("sequence", "then")),
                *self._event(then, f"{place}/then"),
                word(place, pgettext("sequence", "within")),
                self._make.input(
                    f"{within}/n", "number", node["within"]["n"], is_whole=True, label=_("Length of time")
                ),
                self._make.select(
                    f"{within}/unit", _("Unit of time"), by_value(self.words.units), node["within"]["unit"]
                ),
                self._same(node, place),
            ]
        )
        yield from self._picking(then, f"{place}/then")
        if "without" in node:
            at = f"{place}/without"
            between = word(place, pgettext("sequence", "and not between them"))
            yield Line([between, *self._event(node["without"], at)], place=at)
            yield from self._picking(node["without"], at)
        when = [word(place, pgettext("sequence", "both")), *self._window(node["window"], f"{place}/window")]
        add = Add(f"add {place}/without", _("and something not between them"), "ban")
        yield Line(when, adds=() if "without" in node else [add])

    def _same(self, node: Part, place: str) -> Control:
        """The property of which both steps must have a common value."""
        first = properties_of(node["first"]["event"], self.fields)
        then = properties_of(node["then"]["event"], self.fields)
        labels = {
            name: _("with the same %(property)s") % {"property": one.label}
            for name, one in first.items()
            if name in then
        }
        chosen = node.get("same", "")
        leaves = _("of any kind")
        return self._make.select(f"{place}/same", _("What both have in common"), labels, chosen, leaves=leaves)

    def _order_total(self, node: Part, place: str) -> Iterator[Line]:
        controls = [self._of_orders(node, place), *self._amount(node, place)]
        if Measure(node["measure"]).is_number:
            controls.append(word(place, pgettext("condition", "orders in")))
        controls.append(self._currency(node, place))
        yield Line([*controls, *self._window(node["window"], f"{place}/window")])

    def _order_line(self, node: Part, place: str) -> Iterator[Line]:
        controls = [self._of_orders(node, place), *self._amount(node, place)]
        if node["measure"] == LineMeasure.SPENT.value:
            controls.append(self._currency(node, place))
        yield Line([*controls, *self._window(node["window"], f"{place}/window")])
        yield from self._filters(
            node["filters"], place, self.fields.line_properties, {}, lambda name: values_url(line=name)
        )
        yield Line(adds=[Add(f"add-filter {place}", _("of products where …"), "filter")])

    def _consent(self, node: Part, place: str) -> Iterator[Line]:
        states = by_value(self.words.consent_states) | {REACHABLE: pgettext("condition", "may be reached now")}
        make = self._make
        yield Line(
            [
                make.select(f"{place}/purpose", _("Purpose"), self.fields.purposes, node["purpose"]),
                word(place, pgettext("condition", "by")),
                make.select(f"{place}/channel", _("Channel"), self.fields.channels, node["channel"]),
                word(place, pgettext("condition", "is")),
                make.select(f"{place}/state", _("State"), states, node.get("state", REACHABLE)),
            ]
        )

    def _segment(self, node: Part, place: str) -> Iterator[Line]:
        others = {pk: name for pk, name in self.fields.segments.items() if pk != self.own}
        which = self._make.select(f"{place}/segment", _("Segment"), others, node["segment"], opens=_("Choose…"))
        yield Line([self._is_in(node, place), which])

    def _list(self, node: Part, place: str) -> Iterator[Line]:
        which = self._make.select(f"{place}/list", _("List"), self.fields.lists, node["list"], opens=_("Choose…"))
        yield Line([self._is_in(node, place), which])

    # -- parts of conditions ----------------------------------------------------------------------------------

    def _is_in(self, node: Part, place: str) -> Control:
        labels = {str(answer).lower(): label for answer, label in self.words.is_in.items()}
        return self._make.select(f"{place}/is_in", _("In or not"), labels, str(node["is_in"]).lower())

    def _event(self, step: Part, place: str) -> Iterator[Control]:
        """The event of a condition or a step, and the sources that count."""
        labels = {name: one.label for name, one in self.fields.events.items()}
        ranked = self.popularity.ranked(labels)
        yield self._make.select(
            f"{place}/event", _("Event"), ranked, step["event"], opens=_("Choose…"), notes=self.popularity.events
        )
        chosen = step.get("sources", [])
        for n, source in enumerate(chosen):
            leaves = _("any source")
            yield self._make.select(f"{place}/sources/{n}", _("Source"), self.fields.sources, source, leaves=leaves)
        if chosen and len(chosen) < len(self.fields.sources):
            left = {slug: label for slug, label in self.fields.sources.items() if slug not in chosen}
            opens = pgettext("condition", "or from …")
            yield self._make.select(f"{place}/sources/{len(chosen)}", _("Source"), left, "", opens=opens)

    def _picking(self, step: Part, place: str) -> Iterator[Line]:
        """The filters on properties, and what can be added."""
        event = step["event"]
        yield from self._filters(
            step["filters"],
            place,
            properties_of(event, self.fields),
            self.popularity.properties.get(event, {}),
            lambda name: values_url(event=event, property=name),
        )
        adds = [Add(f"add-filter {place}", _("where a property …"), "filter")]
        if len(self.fields.sources) > 1 and not step.get("sources"):
            adds.append(Add(f"add-source {place}", _("from one source"), "database"))
        yield Line(adds=adds)

    def _filters(
        self,
        filters: Sequence[Part],
        place: str,
        known: Mapping[str, Field],
        notes: Mapping[str, str],
        url_of: Callable[[str], str],
    ) -> Iterator[Line]:
        labels = {name: one.label for name, one in known.items()}
        for n, one in enumerate(filters):
            at = f"{place}/filters/{n}"
            chosen = self._make.select(
                f"{at}/property", _("Property"), labels, one["property"], opens=_("Choose…"), notes=notes
            )
            joint = word(at, pgettext("condition", "where") if n == 0 else pgettext("condition", "and"))
            line = self._comparison_line(one, at, chosen, known.get(one["property"]), url_of(one["property"]))
            yield Line([joint, *line.controls], place=at, adds=line.adds)

    def _how_often(self, name: str, chosen: str) -> Control:
        """How often something was done, or a measure of what was done."""
        labels = {NEVER: pgettext("condition", "never"), **by_value(self.words.bounds)}
        return self._make.select(name, _("How often"), labels | by_value(self.words.property_measures), chosen)

    def _times(self, place: str, n: Json) -> list[Control]:
        return [
            self._make.input(f"{place}/n", "number", n, is_whole=True, label=_("Number of times")),
            word(place, pgettext("condition", "times")),
        ]

    def _of_orders(self, node: Part, place: str) -> Control:
        labels = by_value(self.words.measures) | by_value(self.words.line_measures)
        return self._make.select(f"{place}/measure", _("What is measured"), labels, node["measure"])

    def _currency(self, node: Part, place: str) -> Control:
        currencies = {code: code for code in (*self.fields.currencies, node["currency"])}
        return self._make.select(f"{place}/currency", _("Currency"), currencies, node["currency"])

    def _amount(self, node: Part, place: str) -> Iterator[Control]:
        """A comparison of an amount."""
        labels = {operator.value: self._called(operator, FieldType.NUMBER) for operator in AMOUNTS}
        yield self._make.select(f"{place}/operator", _("Comparison"), labels, node["operator"])
        yield from self._operand(node, place, FieldType.NUMBER, "")

    def _called(self, operator: Operator, kind: FieldType) -> str:
        own = self.words.of_numbers if kind is FieldType.NUMBER else {}
        return own.get(operator, self.words.operators[operator])

    def _comparison_line(self, node: Part, place: str, chosen: Control, known: Field | None, url: str) -> Line:
        kind = known.type if known else FieldType.ANY
        labels = {operator.value: self._called(operator, kind) for operator in OPERATORS[kind]}
        compared = self._make.select(f"{place}/operator", _("Comparison"), labels, node["operator"])
        said = [compared, *self._operand(node, place, kind, url)] if chosen.value else []
        return Line([chosen, *said], adds=self._grows(node, place) if chosen.value else ())

    def _grows(self, node: Part, place: str) -> Sequence[Add]:
        """A further value for a list of them."""
        if OPERANDS[Operator(node["operator"])] is not Operand.CHOICES:
            return ()
        return [Add(f"add-value {place}", _("Value"))]

    def _operand(self, node: Part, place: str, kind: FieldType, url: str) -> Iterator[Control]:
        value, at = node.get("value"), f"{place}/value"
        part = f"{kind.value}-{node['operator']}"
        make, typed = self._make, "number" if kind is FieldType.NUMBER else "text"
        match OPERANDS[Operator(node["operator"])]:
            case Operand.SCALAR if kind is FieldType.BOOLEAN:
                answers = {"true": pgettext("condition", "yes"), "false": pgettext("condition", "no")}
                chosen = str(value).lower() if isinstance(value, bool) else ""
                yield make.select(at, _("Value"), answers, chosen, opens=_("Choose…"))
            case Operand.SCALAR | Operand.TEXT:
                yield make.input(at, typed, value, part, url)
            case Operand.CHOICES:
                for n, one in enumerate(value or [""]):
                    yield make.input(f"{at}/{n}", typed, one, part, url)
            case Operand.NUMBER:
                yield make.input(at, "number", value, part)
            case Operand.DAYS | Operand.YEAR_DAYS:
                yield make.input(at, "number", value, part, is_whole=True)
                yield word(at, pgettext("condition", "days"))
            case Operand.DATE:
                yield make.input(at, "date", value, part)
            case Operand.NUMBERS | Operand.DATES as operand:
                kind_of_input = "number" if operand is Operand.NUMBERS else "date"
                first, last = value or ("", "")
                yield make.input(f"{at}/0", kind_of_input, first, part)
                yield word(at, pgettext("range", "and"))
                yield make.input(f"{at}/1", kind_of_input, last, part)

    def _window(self, window: Part, place: str) -> Iterator[Control]:
        make = self._make
        yield make.select(f"{place}/kind", _("When"), self.words.windows, window["kind"])
        match window["kind"]:
            case "rolling":
                yield make.input(f"{place}/n", "number", window["n"], is_whole=True, label=_("Length of time"))
                yield make.select(f"{place}/unit", _("Unit of time"), by_value(self.words.units), window["unit"])
            case "calendar_days":
                yield make.input(f"{place}/n", "number", window["n"], is_whole=True, label=_("Number of days"))
                yield word(place, pgettext("condition", "days"))
            case "between":
                yield make.input(f"{place}/first", "date", window["first"], label=_("First day"))
                yield word(place, pgettext("range", "and"))
                yield make.input(f"{place}/last", "date", window["last"], label=_("Last day"))


def _depth(node: Part) -> int:
    """How many groups lie in each other at most, in a draft that may have empty ones."""
    if node["kind"] not in GROUPS:
        return 0
    return 1 + max(map(_depth, node["of"]), default=0)
