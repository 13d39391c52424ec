"""What ingestion tells the apps above it, without knowing them."""

from django.dispatch import Signal

# A source is trusted more or less than before: golden values that it took part in may have another winner.
# Sent with `source_id` in the transaction of the change.
trust_changed = Signal()
# A customer exercised a right through a system of the company, or that system did for all of its customers. Sent with
# `request` (ingestion.webhooks.reading.SubjectRequest) and `source_id` in the transaction that keeps the report; the
# same request comes again when its sender had no answer.
subject_request_stated = Signal()
