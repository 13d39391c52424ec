"""Why somebody is, or was, in a segment: each part of its definition with ✓ or ✗ and what it rests on.

Whether a part holds is asked of all that was known, as the sender of a list asked it; what is shown of it is what the
reader may see. A part that names what the reader does not see is told as hidden.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from cdp_site.core.access import EVERYTHING, Scope, scope_of
from cdp_site.core.models import User
from cdp_site.core.templatetags.formats import money
from profiles import masking, overview, past
from profiles.event_text import describe as describe_event
from profiles.labels import value_label
from profiles.models import Profile
from segments import audience, catalogue, lens, persons, spellings
from segments.definition import evaluate, nodes
from segments.definition.describe import clause
from segments.definition.evaluate import Moment
from segments.lens import Lens
from segments.models import Segment

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
    events = _events(asked)
    known = past.at_moment(profile, at, scope=EVERYTHING)
    whole = persons.then(known, EVERYTHING, events=events)
    seen = whole if scope.is_unrestricted else persons.then(known, scope, events=events)
    teller = _Teller(through, seen, Moment(at, audience.company_time_zone()), masking.shows_identifiers(by, profile.pk))
    return [
        Line(_("A condition on data that your department does not see"), Mark.HIDDEN, ())
        if not through.shows(written)
        else Line(
            teller.words(written),
            Mark.YES if evaluate.holds(widened, whole, teller.moment) else Mark.NO,
            teller.facts(widened),
        )
        for written, widened in zip(_parts(definition), _parts(asked), strict=True)
    ]


def standing_then(profile: Profile, segments: Iterable[Segment], *, at: datetime, scope: Scope) -> list[Segment]:
    """The segments, by the definitions of today, that a customer was in at a moment, through a viewer's eyes. Ten
    queries at most."""
    written = {segment: found for segment in segments if (found := audience.read(segment.definition)) is not None}
    through = lens.on(written.values(), scope)
    seen = {segment: definition for segment, definition in written.items() if through.shows(definition.where)}
    asked = spellings.widened(list(seen.values()))
    events = {event for definition in asked for event in _events(definition)}
    person = persons.then(past.at_moment(profile, at, scope=scope), scope, events=events)
    moment = Moment(at, audience.company_time_zone())
    return [
        segment
        for segment, definition in zip(seen, asked, strict=True)
        if evaluate.holds(definition.where, person, moment)
    ]


def _events(definition: nodes.Definition) -> set[str]:
    conditions = nodes.conditions(definition.where)
    return {one.event for one in conditions if isinstance(one, nodes.TouchpointCondition)}


def _parts(definition: nodes.Definition) -> Sequence[nodes.Node]:
    """The members of an outermost "all of these"; any other group is one part."""
    return definition.where.of if isinstance(definition.where, nodes.All) else (definition.where,)


@dataclass(frozen=True, slots=True)
class _Teller:
    through: Lens
    person: evaluate.Person
    moment: Moment
    shows_identifiers: bool

    def words(self, part: nodes.Node) -> str:
        text = clause(part, catalogue.words(), self.through.names)
        return text[:1].upper() + text[1:]

    def facts(self, part: nodes.Node) -> list[Fact]:
        return [fact for condition in nodes.conditions(part) for fact in self._of(condition)]

    def _of(self, condition: nodes.Condition) -> list[Fact]:
        match condition:
            case nodes.TouchpointCondition():
                return self._touchpoints(condition)
            case nodes.AttributeCondition():
                return [Fact(self._attribute(condition))]
            case nodes.OrderTotalCondition():
                return [Fact(self._orders(condition))]
            case nodes.ConsentCondition():
                state = self.person.consents.get((condition.purpose, condition.channel), nodes.ConsentState.NEVER)
                return [Fact(catalogue.words().consent_states[state])]

    def _touchpoints(self, condition: nodes.TouchpointCondition) -> list[Fact]:
        counted = sorted(
            evaluate.counted(condition, self.person, self.moment), key=lambda one: one.occurred_at, reverse=True
        )
        n = len(counted)
        label = self.through.names.events[condition.event]
        times = ngettext("%(event)s: once", "%(event)s: %(n)d times", n) if n else _("%(event)s: never")
        return [Fact(times % {"event": label, "n": n})] + [
            Fact(self._subject(touchpoint), touchpoint.occurred_at) for touchpoint in counted[:SHOWN]
        ]

    def _subject(self, touchpoint: evaluate.Touchpoint) -> str:
        told = describe_event(touchpoint.event, touchpoint.properties)
        texts = [text for text in (told.subject, *told.facts) if text]
        return masking.readable(" · ".join(texts), shows=self.shows_identifiers)

    def _attribute(self, condition: nodes.AttributeCondition) -> str:
        label = self.through.names.traits[condition.trait]
        value = self.person.attributes.get(condition.trait)
        texts = [value_label(condition.trait, text) for text in overview.texts_of(value)] if value is not None else []
        shown = masking.shown(condition.trait, texts, shows=self.shows_identifiers)
        return f"{label}: {', '.join(shown) or '–'}"

    def _orders(self, condition: nodes.OrderTotalCondition) -> str:
        amount = evaluate.measured(condition, self.person, self.moment)
        label = catalogue.words().measures[condition.measure]
        if amount is None:
            return f"{label}: –"
        is_number = condition.measure is nodes.Measure.COUNT
        return f"{label}: {f'{amount:,f}' if is_number else money(amount, condition.currency)}"
