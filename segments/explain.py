"""Why somebody is in a segment, or is not: each condition with ✓ or ✗, what it rests on, and when time turns it.

Asked through the reader's eyes, as the number of the segment is for them. Whether a condition holds is asked of the
same SQL that counts, so that the page and the number cannot contradict each other; evidence and coming changes are the
reference engine's.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import connection
from django.utils import timezone
from psycopg import sql

from cdp_site.core.access import Scope, scope_of
from cdp_site.core.errors import MendableError
from cdp_site.core.models import User
from consent import dossier
from consent.models import Channel, Purpose
from profiles import masking, past
from profiles.models import Profile
from segments import audience, catalogue, lens, persons, references, spellings
from segments.audience import Question
from segments.definition import evaluate, nodes
from segments.definition.evaluate import Moment
from segments.definition.next_change import next_change
from segments.definition.people import answers
from segments.definition.problems import StoredProblem
from segments.definition.serialise import node as written
from segments.definition.viewer import Strategy, Viewer
from segments.evidence import Fact, Mark, Teller
from segments.membership import reading
from segments.models import Segment, SegmentPassage

SQL = sql.SQL

PASSAGES = 10  # comings and goings, the latest


@dataclass(frozen=True, slots=True)
class Part:
    """A condition, or a group with its members, about one customer.

    `changes_at`: when time alone turns the mark; None: it stands until something is heard of the customer. `members`
    of a condition on a segment are what that segment asks.
    """

    text: str
    mark: Mark
    facts: Sequence[Fact]
    changes_at: datetime | None
    members: Sequence["Part"] = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    """`since`: when the customer came in; known to who sees all that the segment rests on, as are the `passages`, the
    latest first."""

    is_in: bool
    is_known: bool
    root: Part
    since: datetime | None
    passages: Sequence[SegmentPassage]

    @property
    def changes_at(self) -> datetime | None:
        """When the customer leaves, or enters, by time alone."""
        return self.root.changes_at


def why(profile: Profile, segment: Segment, *, by: User) -> Explanation:
    """Of a customer whom the user may see, now. Raises what `audience.shown` does, and TooSlowProblem. Some twenty
    queries."""
    scope, now = scope_of(by), timezone.now()
    definition, through = audience.shown(segment.definition, scope)
    (asked,) = spellings.widened([definition])
    known = past.at_moment(profile, now, scope=scope)
    person = persons.then(known, scope, asked=[asked])
    moment = Moment(now, audience.company_time_zone())
    shows = masking.shows_identifiers(by, profile.pk)
    explainer = _Explainer(
        Teller(through.names, person, moment, shows),
        _marks(asked, profile, through.viewer, moment),
        _reasons(profile, asked, scope),
    )
    root = explainer.part(definition.where, asked.where)
    is_known = profile.kind == Profile.Kind.IDENTIFIED
    sees_whole = audience.sees_whole(asked, catalogue.viewer(scope))
    state = reading.of(profile).of_segment(segment.pk).first() if sees_whole else None
    passages = reading.passages_of(profile).of_segment(segment.pk)[:PASSAGES] if sees_whole else ()
    return Explanation(
        is_in=is_known and root.mark is Mark.YES,
        is_known=is_known,
        root=root,
        since=state.since if state else None,
        passages=list(passages),
    )


@dataclass(frozen=True, slots=True)
class _Explainer:
    teller: Teller
    marks: Iterator[bool]
    reasons: Mapping[nodes.ReachableCondition, Fact]

    def part(self, node: nodes.Node, asked: nodes.Node) -> Part:
        """`asked` is the node with every spelling of its words. Conditions come in the order of `nodes.conditions`."""
        if isinstance(node, nodes.All | nodes.Any | nodes.Not) and isinstance(asked, nodes.All | nodes.Any | nodes.Not):
            return self._group(node, asked)
        holds = next(self.marks)
        below: Sequence[Part] = ()
        facts = self.teller.facts(asked)
        if isinstance(node, nodes.SegmentCondition) and isinstance(asked, nodes.SegmentCondition):
            below = (self._group(node.meaning, asked.meaning),)
        elif isinstance(asked, nodes.ReachableCondition) and not holds and asked in self.reasons:
            facts = [self.reasons[asked]]
        return Part(self.teller.words(node), _mark(holds), facts, self._turn(asked, holds), below)

    def _group(self, node: nodes.Group, asked: nodes.Group) -> Part:
        members = [self.part(one, of_asked) for one, of_asked in zip(node.of, asked.of, strict=True)]
        marks = [member.mark is Mark.YES for member in members]
        match node:
            case nodes.All():
                holds = all(marks)
            case nodes.Any():
                holds = any(marks)
            case _:
                holds = not any(marks)
        text = catalogue.words().groups[written(node)["kind"]]
        return Part(text[:1].upper() + text[1:], _mark(holds), (), self._turn(asked, holds), members)

    def _turn(self, node: nodes.Node, holds: bool) -> datetime | None:
        """When the node turns by time alone. Nothing is foretold where the two engines see a customer differently, as
        they may for a moment while something is being written."""
        person, moment = self.teller.person, self.teller.moment
        if evaluate.holds(node, person, moment) is not holds:
            return None
        at = next_change(node, person, moment.now, moment.time_zone)
        is_turn = at is not None and evaluate.holds(node, person, replace(moment, now=at)) is not holds
        return at if is_turn else None


def _mark(holds: bool) -> Mark:
    return Mark.YES if holds else Mark.NO


def _marks(asked: nodes.Definition, profile: Profile, viewer: Viewer, moment: Moment) -> Iterator[bool]:
    """Whether each condition holds, in the order of `nodes.conditions`. One statement."""
    conditions = list(nodes.conditions(asked.where))
    crowd = SQL("SELECT {}::bigint").format(profile.pk)
    query = answers(conditions, viewer, now=moment.now, time_zone=moment.time_zone, crowd=crowd)
    with audience.time_limit(), connection.cursor() as cursor:
        cursor.execute(query)
        row = cursor.fetchone()
    said = "0" * len(conditions) if row is None else str(row[1])
    return (character == "1" for character in said)


def _reasons(profile: Profile, asked: nodes.Definition, scope: Scope) -> Mapping[nodes.ReachableCondition, Fact]:
    """Why the gate lets no address through, for each condition that asks for one. Five queries, none without any."""
    wanted = {one for one in nodes.conditions(asked.where) if isinstance(one, nodes.ReachableCondition)}
    if not wanted:
        return {}
    purposes = Purpose.objects.in_bulk([one.purpose for one in wanted], field_name="slug")
    heard = dossier.read(profile, scope=scope)
    found = {}
    for one in wanted:
        if one.purpose in purposes and one.channel in Channel.values:
            reason = heard.may_use(purposes[one.purpose], Channel(one.channel)).reason
            if reason is not None:
                found[one] = Fact(str(reason.text))
    return found


# --- several at once --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether a customer is in a segment; `is_in` None: it is of data that the reader does not see, or for the reason
    that `problem` gives."""

    segment: Segment
    is_in: bool | None
    problem: MendableError | None = None


def of_all(profile: Profile, segments: Iterable[Segment], *, by: User) -> list[Standing]:
    """Of each of the segments, those that the customer is in first. Raises TooSlowProblem. Six queries."""
    listed, scope = list(segments), scope_of(by)
    standing = audience.standing(profile, listed, scope)
    inside = {segment.pk for segment in standing.segments}
    read = {segment.pk: references.tried(segment.definition) for segment in listed}
    through = lens.on([one for one in read.values() if isinstance(one, nodes.Definition)], scope)

    def of(segment: Segment) -> Standing:
        definition = read[segment.pk]
        if isinstance(definition, StoredProblem):
            return Standing(segment, None, definition)
        if through.shows(definition.where):
            return Standing(segment, segment.pk in inside)
        gone = through.gone(definition.where)
        return Standing(segment, None, StoredProblem(gone) if gone else None)

    found = [of(segment) for segment in listed]
    return sorted(found, key=lambda one: (one.is_in is not True, one.is_in is None, one.segment.name))


def members_among(segment: Segment, profiles: Iterable[Profile], *, by: User) -> set[int]:
    """Keys of those of the profiles that are in the segment now. Raises what `Question.of_segment` and counting do."""
    ids = [profile.pk for profile in profiles]
    if not ids:
        return set()
    question = Question.of_segment(segment, scope_of(by))
    query = question.select(Strategy.PROBE, SQL("p.id = ANY({})").format(ids))
    with audience.time_limit(), connection.cursor() as cursor:
        cursor.execute(query)
        return {key for (key,) in cursor.fetchall()}
