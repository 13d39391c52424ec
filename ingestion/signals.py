"""What ingestion tells the apps above it, without knowing them."""

from django.dispatch import Signal

# A source is trusted more or less than before: golden values that it took part in may have another winner.
# Sent with `source_id` in the transaction of the change.
trust_changed = Signal()
