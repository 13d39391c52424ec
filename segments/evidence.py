"""Why somebody is, or was, in a segment: each part of its definition with ✓ or ✗ and what it rests on.

Whether a part holds is asked of all that was known, as the sender of a list asked it; what is shown of it is what the
reader may see. A part that names what the reader does not see is told as hidden.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from functools import singledispatchmethod

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from cdp_site.core.access import EVERYTHING, Scope, scope_of
from cdp_site.core.models import User
from cdp_site.core.templatetags.formats import money, plain
from profiles import masking, overview, past
from profiles.event_text import describe as describe_event
from profiles.labels import value_label
from profiles.models import Profile
from segments import audience, catalogue, lens, persons, spellings
from segments.definition import evaluate, nodes
from segments.definition.describe import clause
from segments.definition.evaluate import Moment
from segments.definition.words import Names
from segments.lens import Lens
from segments.models import Segment
from segments.traits.formula import moment_of

SHOWN = 3  # touchpoints of a condition: the latest


class Mark(StrEnum):
    YES = "yes"
    NO = "no"
    HIDDEN = "hidden"


@dataclass(frozen=True, slots=True)
class Fact:
    """What a part rests on. `at` is None for what has no time of its own."""

    text: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """A part of a definition: its words, whether it held, and on what that rests."""

    text: str
    mark: Mark
    facts: Sequence[Fact]


def lines(profile: Profile, definition: nodes.Definition, *, at: datetime, by: User) -> list[Line]:
    """The parts of a definition about a customer at a moment. Fifteen queries at most beside the scope."""
    scope = scope_of(by)
    through = lens.on([definition], scope)
    (asked,) = spellings.widened([definition])
    known = past.at_moment(profile, at, scope=EVERYTHING)
    whole = persons.then(known, EVERYTHING, asked=[asked])
    seen = whole if scope.is_unrestricted else persons.then(known, scope, asked=[asked])
    shows = masking.shows_identifiers(by, profile.pk)
    teller = Teller(through.names, seen, Moment(at, audience.company_time_zone()), shows)
    return [
        Line(unseen(written, through), Mark.HIDDEN, ())
        if not through.shows(written)
        else Line(
            teller.words(written),
            Mark.YES if evaluate.holds(widened, whole, teller.moment) else Mark.NO,
            teller.facts(widened),
        )
        for written, widened in zip(_parts(definition), _parts(asked), strict=True)
    ]


def unseen(part: nodes.Node, through: Lens) -> str:
    """Why a part that the lens does not show is not told."""
    gone = through.gone(part)
    return str(gone[0].text) if gone else _("A condition on data that your department does not see")


def standing_then(profile: Profile, segments: Iterable[Segment], *, at: datetime, scope: Scope) -> list[Segment]:
    """The segments, by the definitions of today, that a customer was in at a moment, through a viewer's eyes. Ten
    queries at most."""
    written = {segment: found for segment in segments if (found := audience.read(segment.definition)) is not None}
    through = lens.on(written.values(), scope)
    seen = {segment: definition for segment, definition in written.items() if through.shows(definition.where)}
    asked = spellings.widened(list(seen.values()))
    person = persons.then(past.at_moment(profile, at, scope=scope), scope, asked=asked)
    moment = Moment(at, audience.company_time_zone())
    return [
        segment
        for segment, definition in zip(seen, asked, strict=True)
        if evaluate.holds(definition.where, person, moment)
    ]


def _parts(definition: nodes.Definition) -> Sequence[nodes.Node]:
    """The members of an outermost "all of these"; any other group is one part."""
    return definition.where.of if isinstance(definition.where, nodes.All) else (definition.where,)


@dataclass(frozen=True, slots=True)
class Teller:
    """Says in words what conditions are and what they rest on, about one person at one moment."""

    names: Names
    person: evaluate.Person
    moment: Moment
    shows_identifiers: bool

    def words(self, part: nodes.Node) -> str:
        text = clause(part, catalogue.words(), self.names)
        return text[:1].upper() + text[1:]

    def facts(self, part: nodes.Node) -> list[Fact]:
        """Of all conditions below."""
        return [fact for condition in nodes.own_conditions(part) for fact in self.of(condition)]

    @singledispatchmethod
    def of(self, condition: nodes.Condition) -> list[Fact]:
        """Of one condition."""
        raise TypeError(f"no evidence for {type(condition).__name__}")

    @of.register
    def _touchpoints(self, condition: nodes.TouchpointCondition) -> list[Fact]:
        counted = self._counted(condition)
        n = len(counted)
        times = ngettext("%(event)s: once", "%(event)s: %(n)d times", n) if n else _("%(event)s: never")
        return [Fact(times % {"event": self._event(condition), "n": n}), *self._latest(counted)]

    @of.register
    def _measure(self, condition: nodes.MeasureCondition) -> list[Fact]:
        measured = evaluate.measured_property(condition, self.person, self.moment)
        label = catalogue.words().property_measures[condition.measure]
        if isinstance(measured, list):
            values = list(dict.fromkeys(self._readable(str(value)) for value in measured))
            said = ", ".join(values[:SHOWN]) or "–"
        else:
            said = "–" if measured is None else _amount(measured)
        named = f"{label} {catalogue.property_label(condition.property)}"
        return [Fact(f"{named}: {said}"), *self._latest(self._counted(condition))]

    @of.register
    def _sequence(self, condition: nodes.SequenceCondition) -> list[Fact]:
        """The latest pair; without one what there is of the first step."""
        pairs = evaluate.sequences(condition, self.person, self.moment)
        if pairs:
            before, after = max(pairs, key=lambda pair: (pair[1].occurred_at, pair[0].occurred_at))
            return [
                Fact(f"{self._event(step)}: {self._subject(one)}".removesuffix(": "), one.occurred_at)
                for step, one in ((condition.first, before), (condition.then, after))
            ]
        began = evaluate.picked(condition.first, condition.window, self.person, self.moment)
        n, event = len(began), self._event(condition.first)
        if not began:
            return [Fact(_("%(event)s: never") % {"event": event})]
        text = ngettext("%(event)s: once, and nothing came of it", "%(event)s: %(n)d times, and nothing came of it", n)
        return [Fact(text % {"event": event, "n": n}, max(one.occurred_at for one in began))]

    @of.register
    def _attribute(self, condition: nodes.AttributeCondition) -> list[Fact]:
        label = self.names.traits.get(condition.trait, condition.trait)
        value = self.person.attributes.get(condition.trait)
        at = moment_of(condition.trait, value)
        if at is not None:
            return [Fact(label, at)]
        texts = [value_label(condition.trait, text) for text in overview.texts_of(value)] if value is not None else []
        shown = masking.shown(condition.trait, texts, shows=self.shows_identifiers)
        return [Fact(f"{label}: {', '.join(shown) or '–'}")]

    @of.register
    def _orders(self, condition: nodes.OrderTotalCondition) -> list[Fact]:
        amount = evaluate.measured(condition, self.person, self.moment)
        label = catalogue.words().measures[condition.measure]
        if amount is None:
            return [Fact(f"{label}: –")]
        is_number = condition.measure.is_number
        return [Fact(f"{label}: {f'{amount:,f}' if is_number else money(amount, condition.currency)}")]

    @of.register
    def _order_lines(self, condition: nodes.OrderLineCondition) -> list[Fact]:
        amount = evaluate.measured_lines(condition, self.person, self.moment)
        is_money = condition.measure is nodes.LineMeasure.SPENT
        label = catalogue.words().line_measures[condition.measure]
        lines = evaluate.lines_of(condition, self.person, self.moment)
        latest = sorted(lines, key=lambda one: one[0].placed_at, reverse=True)[:SHOWN]
        return [
            Fact(f"{label}: {money(amount, condition.currency) if is_money else plain(amount)}"),
            *(Fact(self._product(line), order.placed_at) for order, line in latest),
        ]

    @of.register
    def _consent(self, condition: nodes.ConsentCondition) -> list[Fact]:
        state = self.person.consents.get((condition.purpose, condition.channel), nodes.ConsentState.NEVER)
        return [Fact(catalogue.words().consent_states[state])]

    @of.register
    def _reach(self, condition: nodes.ReachableCondition) -> list[Fact]:
        is_reachable = evaluate.holds(condition, self.person, self.moment)
        return [Fact(_("An address may be used") if is_reachable else _("No address may be used"))]

    @of.register
    def _segment(self, condition: nodes.SegmentCondition) -> list[Fact]:
        is_in = evaluate.holds(condition.meaning, self.person, self.moment)
        return [Fact(_("The customer is in it") if is_in else _("The customer is not in it"))]

    @of.register
    def _list(self, condition: nodes.ListCondition) -> list[Fact]:
        is_on = condition.list in self.person.lists
        return [Fact(_("The customer is on it") if is_on else _("The customer is not on it"))]

    def _counted(self, condition: nodes.TouchpointCondition | nodes.MeasureCondition) -> list[evaluate.Touchpoint]:
        """The latest first."""
        counted = evaluate.counted(condition, self.person, self.moment)
        return sorted(counted, key=lambda one: one.occurred_at, reverse=True)

    def _latest(self, touchpoints: Sequence[evaluate.Touchpoint]) -> list[Fact]:
        return [Fact(self._subject(one), one.occurred_at) for one in touchpoints[:SHOWN]]

    def _event(self, of: nodes.OnTouchpoints) -> str:
        return self.names.events.get(of.event, of.event)

    def _subject(self, touchpoint: evaluate.Touchpoint) -> str:
        """What it says, then what the catalogue adds of its product."""
        own = {name: value for name, value in touchpoint.properties.items() if name not in touchpoint.told}
        said = [describe_event(touchpoint.event, one) for one in (own, touchpoint.told)]
        texts = dict.fromkeys(text for one in said for text in (one.subject, *one.facts) if text)
        return self._readable(" · ".join(texts))

    def _readable(self, text: str) -> str:
        return masking.readable(text, shows=self.shows_identifiers)

    def _product(self, line: evaluate.OrderLine) -> str:
        named = next((line.properties[key] for key in ("name", "sku") if line.properties.get(key)), "")
        return f"{self._readable(str(named))} × {plain(line.quantity)}".strip()


def _amount(number: Decimal) -> str:
    """Two places at most: an average has many."""
    text = f"{number:,.2f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
