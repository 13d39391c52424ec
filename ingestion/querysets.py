"""Named questions about sources and what arrived from them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self

from django.apps import apps
from django.db import models
from django.utils import timezone

from cdp_site.core.access import ContainerQuerySet

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from cdp_site.core.models import User


class SourceQuerySet(ContainerQuerySet):
    def active(self) -> Self:
        return self.filter(is_active=True)

    def external(self) -> Self:
        """Systems of the company; without this platform's own source."""
        return self.exclude(kind="internal")

    def with_own_retention(self) -> Self:
        """Those that keep what came raw for days of their own."""
        numbers = ("quarantine_days", "file_days", "batch_days")
        own = models.Q(*[(f"retentionrule__{name}__isnull", False) for name in numbers], _connector=models.Q.OR)
        return self.filter(own)

    def named(self, slug: str) -> Self:
        """The one of this short name."""
        return self.filter(slug=slug)

    def all_origins(self) -> frozenset[str]:
        """The web pages that may send to any of them. One query."""
        return frozenset(origin for origins in self.values_list("allowed_origins", flat=True) for origin in origins)

    def with_department(self) -> Self:
        return self.select_related("department")


class OfSourceQuerySet(models.QuerySet[Any]):
    """Rows that belong to a source are seen by those who see the source."""

    def visible_to(self, user: User | AnonymousUser) -> Self:
        sources = self.model._meta.get_field("source").related_model._default_manager.visible_to(user)
        return self.filter(source__in=sources)

    def of_source(self, source: models.Model) -> Self:
        return self.filter(source=source)

    def of_sources(self, ids: Collection[int]) -> Self:
        return self.filter(source__in=ids)


class InboundBatchQuerySet(OfSourceQuerySet):
    def waiting(self) -> Self:
        return self.filter(status="waiting")

    def take_back(self) -> int:
        """Batches whose items all went back to where they came from: nothing is left to account for. One statement."""
        return self.update(
            status="digested",
            raw=None,
            lease_until=None,
            processed_at=timezone.now(),
            n_items=0,
            n_stored=0,
            n_duplicate=0,
            n_quarantined=0,
            n_suppressed=0,
        )

    def digested_before(self, moment: datetime) -> Self:
        """Received before then, and done with: no message of theirs is in quarantine or was replayed from there."""
        held = apps.get_model("ingestion", "QuarantinedItem")._default_manager
        of_it = held.filter(batch_id=models.OuterRef("pk"), status__in=["open", "replayed"])
        as_it = held.filter(replayed_as=models.OuterRef("pk"), status="replayed")
        done = self.filter(status="digested", received_at__lt=moment)
        return done.exclude(models.Exists(of_it)).exclude(models.Exists(as_it))

    def newest_first(self) -> Self:
        return self.order_by("-pk")

    def without_messages(self) -> Self:
        """For lists: with the import that it is part of, and without what came."""
        return self.select_related("file_import").defer("raw")

    def of_import(self, file_import: models.Model) -> Self:
        return self.filter(file_import=file_import)


class FileImportQuerySet(OfSourceQuerySet):
    def abandoned(self) -> Self:
        """Started, but no living job holds them (watchdog)."""
        return self.filter(status__in=["ready", "landing"]).filter(
            models.Q(lease_until__isnull=True) | models.Q(lease_until__lt=timezone.now())
        )

    def newest_first(self) -> Self:
        return self.order_by("-created_at", "-pk")

    def with_source(self) -> Self:
        return self.select_related("source", "mapping")

    def by_mapping(self, name: str) -> Self:
        """Those that any version of the mapping brought in."""
        return self.filter(mapping__name=name)

    def of_operation(self, operation_id: Any) -> Self:
        return self.filter(operation_id=operation_id)

    def unfinished(self) -> Self:
        return self.filter(status__in=["uploaded", "ready", "landing"])

    def finished(self) -> Self:
        return self.filter(status__in=["landed", "failed", "cancelled"])

    def last_status_by_source(self, since: datetime) -> dict[int, str]:
        """Source → the status of the import that finished last, where one did since then. One query."""
        rows = self.finished().filter(finished_at__gte=since).order_by("source", "-finished_at").distinct("source")
        return dict(rows.values_list("source", "status"))

    def with_file(self) -> Self:
        """Their file is still in the store."""
        return self.exclude(stored_as="")

    def at_rest(self) -> Self:
        """Nothing is reading their file: finished, or never started."""
        return self.exclude(status__in=["ready", "landing"])

    def stored_names(self) -> set[str]:
        """Of all their files in the import store. One query."""
        held = self.values_list("stored_as", "original_as")
        return {name for names in held for name in names if name}

    def uploaded_before(self, moment: datetime) -> Self:
        return self.filter(created_at__lt=moment)


class QuarantinedItemQuerySet(OfSourceQuerySet):
    def open(self) -> Self:
        return self.filter(status="open")

    def for_reason(self, reason: str) -> Self:
        return self.filter(reason=reason)

    def of_group(self, event: str | None, field: str | None) -> Self:
        """Narrowed to an event and to the field that is wrong; None leaves either open."""
        narrowed = {"event": event, "field": field}
        return self.filter(**{name: value for name, value in narrowed.items() if value is not None})

    def by_group(self) -> Self:
        """One row for each (source, reason, event, field): `n`, `first_at`, `last_at`; sources by name, then the
        largest first."""
        return (
            self.values("source", "source__name", "reason", "event", "field")
            .annotate(n=models.Count("pk"), first_at=models.Min("at"), last_at=models.Max("at"))
            .order_by("source__name", "source", "-n", "reason", "event", "field")
        )

    def newest_first(self) -> Self:
        return self.order_by("-pk")

    def up_to(self, pk: int) -> Self:
        """This item and older ones."""
        return self.filter(pk__lte=pk)

    def older_than(self, pk: int) -> Self:
        return self.filter(pk__lt=pk)

    def newer_than(self, pk: int) -> Self:
        return self.filter(pk__gt=pk)

    def replayed(self) -> Self:
        return self.filter(status="replayed")

    def of_replay(self, replay: models.Model) -> Self:
        return self.filter(replay=replay)

    def replayed_again(self, replay: models.Model) -> Self:
        """What the replay could not store after all, and a later one took up."""
        landed = self.model._default_manager.filter(replay=replay, status="replayed").values("replayed_as")
        return self.filter(batch_id__in=landed, status="replayed")

    def reopen(self) -> int:
        """Back into quarantine from a replay. One statement."""
        return self.update(status="open", replay=None, replayed_as=None)

    def close(self) -> int:
        """What replayed messages said goes, and with it the way back. One statement."""
        return self.update(payload=None, detail="", subject_keys=[], replay=None, replayed_as=None)

    def with_place(self) -> Self:
        """With the source, and the file that a line belongs to."""
        return self.select_related("source", "file_import")

    def without_payload(self) -> Self:
        """For lists, which need nothing of what the messages say."""
        return self.defer("payload", "subject_keys")

    def held_before(self, moment: datetime) -> Self:
        """Held back before then; without those that a replay is at work on."""
        return self.filter(at__lt=moment).exclude(replay__status__in=["running", "undoing"])

    def give_up(self) -> int:
        """Discard them; returns how many. What a message said goes, and with it all that could lead to a person. One
        statement."""
        return self.update(status="discarded", payload=None, detail="", subject_keys=[])

    def about(self, subject_keys: Collection[bytes]) -> Self:
        """Those in which one of these identifiers (keyed hashes) was found."""
        return self.filter(subject_keys__overlap=list(subject_keys))


class RowDigestsQuerySet(models.QuerySet[Any]):
    def of_import(self, file_import: models.Model) -> Iterator[bytes]:
        """What its chunks have counted, in their order; a little at a time."""
        found = self.filter(file_import=file_import).order_by("pk").values_list("digests", flat=True)
        return (bytes(digests) for digests in found.iterator(chunk_size=100))


class PullQuerySet(OfSourceQuerySet):
    def with_source(self) -> Self:
        return self.select_related("source", "last_import")

    def due(self) -> Self:
        """To be asked now, and no living job is at it."""
        now = timezone.now()
        return self.filter(is_active=True, source__is_active=True, next_at__lte=now).filter(
            models.Q(lease_until__isnull=True) | models.Q(lease_until__lt=now)
        )


class WatchedFolderQuerySet(OfSourceQuerySet):
    def with_source(self) -> Self:
        return self.select_related("source")

    def active(self) -> Self:
        return self.filter(is_active=True, source__is_active=True)


class ImportTrialQuerySet(models.QuerySet[Any]):
    def abandoned(self) -> Self:
        """To be done, but no living job holds them (watchdog)."""
        return self.filter(status__in=["ready", "reading", "counting"]).filter(
            models.Q(lease_until__isnull=True) | models.Q(lease_until__lt=timezone.now())
        )
