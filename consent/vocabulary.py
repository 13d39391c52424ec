"""What ingestion's mapping screen has to know of consent: which purposes and channels a column may be about."""

from consent.models import Channel, Purpose
from ingestion import vocabulary


def _choices() -> tuple[vocabulary.Choices, vocabulary.Choices]:
    """One query."""
    purposes = [(purpose.slug, str(purpose)) for purpose in Purpose.objects.filter(is_active=True)]
    return purposes, Channel.choices


def lend() -> None:
    vocabulary.lend_consent(_choices)
