"""Messages that ended in quarantine."""

from django.db import transaction

from ingestion import landing
from ingestion.landing import Tally, Unusable
from ingestion.models import FileImport, QuarantinedItem, Source


def hold(
    source: Source, *payloads: str, reason: str = "malformed", detail: str = "", file_import: FileImport | None = None
) -> list[QuarantinedItem]:
    """A batch of which every message ends in quarantine. Nothing else may be waiting."""
    door = "api" if file_import is None else "file"
    messages = [{"n": n} for n in range(len(payloads))]
    landing.land(source=source, messages_raw=messages, door=door, file_import=file_import)
    (batch,) = landing.claim(1, 60)
    with transaction.atomic():
        landing.quarantine(
            Unusable(batch, n, reason, payload.encode(), detail, [b"k" * 32]) for n, payload in enumerate(payloads)
        )
        landing.settle(batch.id, Tally(quarantined=len(payloads)))
    return list(QuarantinedItem.objects.filter(batch_id=batch.id).order_by("pk"))
