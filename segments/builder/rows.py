"""A draft as the rows and controls that the page shows."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any as Json
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from segments.builder.draft import GROUPS, NEVER
from segments.definition import nodes
from segments.definition.fields import OPERATORS, Field, Fields, FieldType
from segments.definition.nodes import OPERANDS, Bound, Measure, Operand, Operator
from segments.definition.parse import Problem
from segments.definition.words import Words


@dataclass(frozen=True)
class Choice:
    value: str
    label: str
    is_chosen: bool


@dataclass(frozen=True)
class Control:
    """One control, or a word between two. `kind`: select, text, number, date or word (then `label` is the word).

    A structural one changes which others there are. `values_url` answers with common values.
    """

    name: str
    kind: str
    label: str
    value: Json = ""
    choices: Sequence[Choice] = ()
    is_structural: bool = False
    is_wrong: bool = False
    values_url: str = ""
    part: str = ""
    is_whole: bool = False

    @property
    def id(self) -> str:
        """Also differs by what the control is for, so that a control for something else is another element."""
        return f"f{self.name.replace('/', '-')}{self.part and '-' + self.part}"


@dataclass(frozen=True)
class Line:
    """Controls that stand together; `place` if the line can be removed, `more` the place of a list that can grow."""

    controls: Sequence[Control]
    place: str = ""
    more: str = ""


@dataclass(frozen=True)
class Row:
    """A condition or a group. `problems` are those of the condition, or of the group itself."""

    place: str
    kind: str
    title: str
    icon: str
    problems: Sequence[Problem]
    is_first: bool
    is_last: bool
    lines: Sequence[Line] = ()
    members: Sequence["Row"] = ()
    mode: Control | None = None
    can_nest: bool = False

    @property
    def id(self) -> str:
        return f"r{self.place.replace('/', '-')}"

    @property
    def is_outermost(self) -> bool:
        return self.place == "/where"

    def flat(self) -> Iterator["Row"]:
        """Itself and every row below it."""
        yield self
        for member in self.members:
            yield from member.flat()


@dataclass(frozen=True)
class Painter:
    """Makes rows of a fitted draft for one viewer in one language."""

    fields: Fields
    words: Words
    problems: Sequence[Problem] = ()

    def rows(self, definition: Mapping[str, Json]) -> Row:
        return self._node(definition["where"], "/where", level=1, is_first=True, is_last=True)

    def _node(self, node: Mapping[str, Json], place: str, *, level: int, is_first: bool, is_last: bool) -> Row:
        if node["kind"] in GROUPS:
            return self._group(node, place, level=level, is_first=is_first, is_last=is_last)
        make, title, icon = {
            "attribute": (self._attribute, _("Attribute"), "user-circle"),
            "touchpoint": (self._touchpoint, _("Behaviour"), "click"),
            "order_total": (self._order_total, _("Orders"), "receipt"),
            "consent": (self._consent, _("Consent"), "shield-check"),
        }[node["kind"]]
        return Row(
            place=place,
            kind=node["kind"],
            title=title,
            icon=icon,
            problems=[one for one in self.problems if _is_at(one.place, place)],
            is_first=is_first,
            is_last=is_last,
            lines=list(make(node, place)),
        )

    def _group(self, node: Mapping[str, Json], place: str, *, level: int, is_first: bool, is_last: bool) -> Row:
        members = [
            self._node(member, f"{place}/of/{n}", level=level + 1, is_first=n == 0, is_last=n == len(node["of"]) - 1)
            for n, member in enumerate(node["of"])
        ]
        own = {place, f"{place}/of", f"{place}/kind"}
        return Row(
            place=place,
            kind="group",
            title=_("Group"),
            icon="sitemap",
            problems=[one for one in self.problems if one.place in own],
            is_first=is_first,
            is_last=is_last,
            members=members,
            mode=self._select(f"{place}/kind", _("How many conditions must hold"), self.words.groups, node["kind"]),
            can_nest=level < nodes.MAX_DEPTH,
        )

    # -- conditions -------------------------------------------------------------------------------------------

    def _attribute(self, node: Mapping[str, Json], place: str) -> Iterator[Line]:
        labels = {name: one.label for name, one in self.fields.traits.items()}
        trait = self._select(f"{place}/trait", _("Attribute"), labels, node["trait"], opens=True)
        url = _values_url(trait=node["trait"])
        yield self._comparison_line(node, place, trait, self.fields.traits.get(node["trait"]), url)

    def _touchpoint(self, node: Mapping[str, Json], place: str) -> Iterator[Line]:
        labels = {name: one.label for name, one in self.fields.events.items()}
        yield Line(
            [
                self._select(f"{place}/event", _("Event"), labels, node["event"], opens=True),
                *self._count(node["count"], f"{place}/count"),
                *self._window(node["window"], f"{place}/window"),
            ]
        )
        event = self.fields.events.get(node["event"])
        known = (event.properties if event else None) or {}
        labels = {name: one.label for name, one in known.items()}
        for n, one in enumerate(node["filters"]):
            at = f"{place}/filters/{n}"
            chosen = self._select(f"{at}/property", _("Property"), labels, one["property"], opens=True)
            word = Control(at, "word", pgettext("condition", "where") if n == 0 else pgettext("condition", "and"))
            url = _values_url(event=node["event"], property=one["property"])
            line = self._comparison_line(one, at, chosen, known.get(one["property"]), url)
            yield Line([word, *line.controls], place=at, more=line.more)

    def _order_total(self, node: Mapping[str, Json], place: str) -> Iterator[Line]:
        labels = {
            operator.value: self.words.operators[operator] for operator in Operator if operator in _ORDER_OPERATORS
        }
        controls = [
            self._select(f"{place}/measure", _("What is measured"), _by_value(self.words.measures), node["measure"]),
            self._select(f"{place}/operator", _("Comparison"), labels, node["operator"]),
            *self._operand(node, place, FieldType.NUMBER, ""),
        ]
        if node["measure"] == Measure.COUNT.value:
            controls.append(Control(place, "word", pgettext("condition", "orders in")))
        currencies = {code: code for code in (*self.fields.currencies, node["currency"])}
        controls.append(self._select(f"{place}/currency", _("Currency"), currencies, node["currency"]))
        yield Line([*controls, *self._window(node["window"], f"{place}/window")])

    def _consent(self, node: Mapping[str, Json], place: str) -> Iterator[Line]:
        states = _by_value(self.words.consent_states)
        yield Line(
            [
                self._select(f"{place}/purpose", _("Purpose"), self.fields.purposes, node["purpose"]),
                Control(place, "word", pgettext("condition", "by")),
                self._select(f"{place}/channel", _("Channel"), self.fields.channels, node["channel"]),
                Control(place, "word", pgettext("condition", "is")),
                self._select(f"{place}/state", _("State"), states, node["state"]),
            ]
        )

    # -- parts of conditions ----------------------------------------------------------------------------------

    def _comparison_line(
        self, node: Mapping[str, Json], place: str, chosen: Control, known: Field | None, values_url: str
    ) -> Line:
        kind = known.type if known else FieldType.ANY
        labels = {operator.value: self.words.operators[operator] for operator in OPERATORS[kind]}
        compared = self._select(f"{place}/operator", _("Comparison"), labels, node["operator"])
        grows = OPERANDS[Operator(node["operator"])] is Operand.CHOICES
        return Line(
            [chosen, *([compared, *self._operand(node, place, kind, values_url)] if chosen.value else [])],
            more=place if grows and chosen.value else "",
        )

    def _operand(self, node: Mapping[str, Json], place: str, kind: FieldType, values_url: str) -> Iterator[Control]:
        value, at = node.get("value"), f"{place}/value"
        part = f"{kind.value}-{node['operator']}"
        match OPERANDS[Operator(node["operator"])]:
            case Operand.SCALAR if kind is FieldType.BOOLEAN:
                answers = {"true": pgettext("condition", "yes"), "false": pgettext("condition", "no")}
                chosen = str(value).lower() if isinstance(value, bool) else ""
                yield self._select(at, _("Value"), answers, chosen, opens=True)
            case Operand.SCALAR | Operand.TEXT:
                yield self._input(at, "number" if kind is FieldType.NUMBER else "text", value, part, values_url)
            case Operand.CHOICES:
                for n, one in enumerate(value or [""]):
                    yield self._input(
                        f"{at}/{n}", "number" if kind is FieldType.NUMBER else "text", one, part, values_url
                    )
            case Operand.NUMBER:
                yield self._input(at, "number", value, part)
            case Operand.DAYS:
                yield self._input(at, "number", value, part, is_whole=True)
                yield Control(at, "word", pgettext("condition", "days"))
            case Operand.DATE:
                yield self._input(at, "date", value, part)
            case Operand.NUMBERS | Operand.DATES as operand:
                kind_of_input = "number" if operand is Operand.NUMBERS else "date"
                first, last = value or ("", "")
                yield self._input(f"{at}/0", kind_of_input, first, part)
                yield Control(at, "word", pgettext("range", "and"))
                yield self._input(f"{at}/1", kind_of_input, last, part)

    def _count(self, count: Mapping[str, Json], place: str) -> Iterator[Control]:
        never = count["bound"] == Bound.EXACTLY.value and count["n"] == 0
        labels = {NEVER: pgettext("condition", "never"), **_by_value(self.words.bounds)}
        yield self._select(f"{place}/bound", _("How often"), labels, NEVER if never else count["bound"])
        if not never:
            yield self._input(f"{place}/n", "number", count["n"], "", is_whole=True, label=_("Number of times"))
            yield Control(place, "word", pgettext("condition", "times"))

    def _window(self, window: Mapping[str, Json], place: str) -> Iterator[Control]:
        yield self._select(f"{place}/kind", _("When"), self.words.windows, window["kind"])
        match window["kind"]:
            case "rolling":
                yield self._input(f"{place}/n", "number", window["n"], "", is_whole=True, label=_("Length of time"))
                yield self._select(f"{place}/unit", _("Unit of time"), _by_value(self.words.units), window["unit"])
            case "calendar_days":
                yield self._input(f"{place}/n", "number", window["n"], "", is_whole=True, label=_("Number of days"))
                yield Control(place, "word", pgettext("condition", "days"))
            case "between":
                yield self._input(f"{place}/first", "date", window["first"], "", label=_("First day"))
                yield Control(place, "word", pgettext("range", "and"))
                yield self._input(f"{place}/last", "date", window["last"], "", label=_("Last day"))

    def _select(self, name: str, label: str, labels: Mapping[str, str], chosen: str, *, opens: bool = False) -> Control:
        """A select; `opens`: it begins with nothing chosen. What is chosen but not offered is shown as it is."""
        offered = dict(labels)
        if opens:
            offered = {"": _("Choose…"), **offered}
        if chosen not in offered:
            offered[chosen] = chosen
        return Control(
            name,
            "select",
            label,
            chosen,
            [Choice(value, text, value == chosen) for value, text in offered.items()],
            is_structural=True,
            is_wrong=self._is_wrong(name),
        )

    def _input(
        self,
        name: str,
        kind: str,
        value: Json,
        part: str,
        values_url: str = "",
        *,
        is_whole: bool = False,
        label: str = "",
    ) -> Control:
        return Control(
            name,
            kind,
            label or _("Value"),
            "" if value is None else value,
            is_wrong=self._is_wrong(name),
            values_url=values_url if kind == "text" else "",
            part=part,
            is_whole=is_whole,
        )

    def _is_wrong(self, name: str) -> bool:
        return any(
            one.place == name or (_is_at(name, one.place) and one.place.endswith("/value")) for one in self.problems
        )


_ORDER_OPERATORS = frozenset(nodes.ORDER_OPERATORS)


def _is_at(place: str, above: str) -> bool:
    return place == above or place.startswith(f"{above}/")


def _by_value(labels: Mapping[Json, str]) -> dict[str, str]:
    return {key.value: label for key, label in labels.items()}


def _values_url(**names: str) -> str:
    return f"{reverse('segments:values')}?{urlencode(names)}" if all(names.values()) else ""
