"""Where ingestion keeps personal data, and what an erasure does there.

What waits in a batch cannot be searched for a person: it is kept out when it is digested, by the suppression of the
erasure's step 0, and its messages go with that. Import files mix people; once their rows are landed nothing needs
them, and what was uploaded and never started can be uploaded again. So an erasure removes the files of all imports but
those that are being read, and the importer these when they finish.
"""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from cdp_site.core import hashing
from cdp_site.core.personal_data import BaseHolder, Ground, Outcome, Subject, register_holder
from ingestion.files import importer
from ingestion.models import FileImport, Pull, QuarantinedItem, SuppressedIdentifier

QUARANTINE, FILES = "ingestion.QuarantinedItem", "ingestion.FileImport"
DIGESTS, PULLS = "ingestion.RowDigests", "ingestion.Pull"
BATCHES, SEEN, SUPPRESSED = "ingestion.InboundBatch", "ingestion.SeenMessage", "ingestion.SuppressedIdentifier"
RELAYED, NONCES = "ingestion.RelayDelivery", "ingestion.LinkNonce"  # gone after minutes


class QuarantineHolder(BaseHolder):
    """Messages that could not be used, found by the keyed hashes of identifiers that were seen in them."""

    name = "ingestion.quarantine"
    tables: tuple[str, ...] = (QUARANTINE,)

    def locate(self, subject: Subject) -> Mapping[str, int]:
        return {QUARANTINE: QuarantinedItem.objects.about(subject.identifier_keys).count()}

    def export(self, subject: Subject) -> Mapping[str, list[dict[str, Any]]]:
        items = QuarantinedItem.objects.about(subject.identifier_keys).with_place().order_by("pk")
        return {
            QUARANTINE: [
                {
                    "at": item.at.isoformat(),
                    "source": item.source.name,
                    "reason": item.reason,
                    "message": hashing.unseal(bytes(item.payload)).decode("utf-8", "replace") if item.payload else "",
                }
                for item in items
            ]
        }

    def erase(self, subject: Subject) -> Outcome:
        """The rows go; that the messages came stays counted in their batches."""
        _total, by_model = QuarantinedItem.objects.about(subject.identifier_keys).delete()
        return Outcome(erased={QUARANTINE: by_model.get(QUARANTINE, 0)})


class ImportFileHolder(BaseHolder):
    """Uploaded files in the import store. The row stays, without its file, as the record of the import. Hashes of rows
    live while an import runs, and at a pull until its next rows."""

    name = "ingestion.files"
    tables: tuple[str, ...] = (FILES, DIGESTS, PULLS)

    def locate(self, subject: Subject) -> Mapping[str, int]:
        return {FILES: FileImport.objects.at_rest().with_file().count()}

    def preview(self, subject: Subject) -> Outcome:
        return Outcome(anonymised=self.locate(subject))

    def erase(self, subject: Subject) -> Outcome:
        """Files leave the disk when the step commits; a crash in between leaves strays, which `remove_strays`
        finds."""
        found = list(FileImport.objects.at_rest().with_file().select_for_update().order_by("pk"))
        for file_import in found:
            transaction.on_commit(importer.forget_file(file_import))
        # A pull then fetches its last rows once more, and the suppression keeps the person out.
        Pull.objects.update(last_rows=b"")
        return Outcome(anonymised={FILES: len(found)})


class LandingHolder(BaseHolder):
    """What waits or is passed on, tombstones, the suppression itself: short-lived, or kept for the erasure to last."""

    name = "ingestion.landing"
    tables: tuple[str, ...] = (BATCHES, SEEN, SUPPRESSED, RELAYED, NONCES)

    def locate(self, subject: Subject) -> Mapping[str, int]:
        return {SUPPRESSED: SuppressedIdentifier.objects.filter(key__in=subject.identifier_keys).count()}

    def preview(self, subject: Subject) -> Outcome:
        return Outcome(kept={SUPPRESSED: (self.locate(subject)[SUPPRESSED], Ground.SUPPRESSION)})

    def erase(self, subject: Subject) -> Outcome:
        return self.preview(subject)


def register() -> None:
    for holder in (QuarantineHolder(), ImportFileHolder(), LandingHolder()):
        register_holder(holder, order=400)
