"""What ingestion's screens borrow from profiles, which ingestion does not know: recent touchpoints, and whether a
message could be digested."""

from collections.abc import Collection, Iterator, Mapping

from cdp_site.core import memory, reverts
from cdp_site.core.access import scope_of
from cdp_site.core.errors import Text
from cdp_site.core.models import User
from ingestion import rehearsal, reports
from ingestion.corrections import arrivals, undoing
from ingestion.landing import Claimed
from ingestion.messages import Item, Rejection
from ingestion.models import Source
from ingestion.plan import samples
from ingestion.plan.samples import Recent
from profiles import reading, rehearsing
from profiles.models import EventType, Touchpoint
from profiles.reading import SourceFacts
from profiles.reverting import job

# An order's lines are kept with the order, not with its touchpoint.
OF_ORDERS = frozenset({"products"})


class Touchpoints:
    def hidden(self, user: User) -> frozenset[str]:
        visible = scope_of(user).event_type_ids
        if visible is None:
            return frozenset()
        return frozenset(EventType.objects.exclude(pk__in=visible).values_list("name", flat=True))

    def labels(self, events: Collection[str]) -> Mapping[str, Text]:
        return {event.name: str(event) for event in EventType.objects.filter(name__in=events)}

    def recent(self, event: str, *, source_ids: Collection[int] | None, limit: int) -> Iterator[Recent]:
        """Of people whose erasure does not run. Two queries, by the index of an event's window."""
        kind = EventType.objects.filter(name=event).only("pk").first()
        if kind is None:
            return
        found = Touchpoint.objects.filter(type=kind, profile__state="live")
        if source_ids is not None:
            found = found.filter(source__in=source_ids)
        for properties, order_id in found.order_by("-occurred_at").values_list("properties", "order_id")[:limit]:
            yield Recent(properties, OF_ORDERS if order_id is not None else frozenset())


_facts: memory.Memory[int, SourceFacts] = memory.Memory()


def _objects(batch: Claimed, item: Item) -> Rejection | None:
    """Why the digest could not use an item, or None."""
    if batch.source_id not in _facts:
        row = Source.objects.values_list("pk", "slug", "phone_region").get(pk=batch.source_id)
        _facts[batch.source_id] = SourceFacts(*row)
    draft = reading.read(batch, item, _facts[batch.source_id])
    return draft if isinstance(draft, Rejection) else None


def register() -> None:
    reverts.register(job.Reverter())
    undoing.lend_reverting(job.take_out)
    rehearsal.lend(rehearsing.rehearse)
    reports.lend("profiles:found_by_import")
    samples.lend(Touchpoints())
    arrivals.lend_reading(_objects)
