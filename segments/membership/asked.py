"""Stored definitions as they are asked for memberships: through all departments' eyes."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from uuid import UUID

from cdp_site.core.access import EVERYTHING
from profiles.models import EventType
from segments import catalogue, references, spellings
from segments.definition import nodes
from segments.definition.viewer import Viewer
from segments.membership.interests import Interests, interests_of
from segments.models import Segment


@dataclass(frozen=True, slots=True)
class Asked:
    """A segment's definition, resolved and with every spelling of its words. `definition` is None for one that this
    program does not read, or that asks for a segment that is gone."""

    segment: Segment
    definition: nodes.Definition | None
    interests: Interests


@dataclass(frozen=True, slots=True)
class World:
    """Who asks, and what everything is called."""

    viewer: Viewer
    event_names: Mapping[int, str]


NOTHING = Interests(frozenset(), frozenset())


def world() -> World:
    """Five queries at most."""
    return World(catalogue.viewer(EVERYTHING), dict(EventType.objects.values_list("pk", "name")))


def load(segment_ids: Collection[UUID] | None = None) -> list[Asked]:
    """The living segments, or those of them that are named, by id. A query for the segments, one for the words of
    their products, one for each level of segments in segments."""
    rows = Segment.objects.living()
    if segment_ids is not None:
        rows = rows.filter(pk__in=segment_ids)
    segments = list(rows.order_by("pk"))
    resolved = references.of_segments(segments)
    whole = {segment: found for segment, found in resolved.items() if references.is_resolved(found)}
    asked = dict(zip(whole, spellings.widened(list(whole.values())), strict=True))
    return [
        Asked(segment, asked.get(segment), interests_of(asked[segment]) if segment in asked else NOTHING)
        for segment in segments
    ]
