"""Why records were joined or parted. People write their reasons as they like; the product's own are kept in English and
read in the language of whoever looks."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Own(TextChoices):
    """What the product writes, and how it is read."""

    REVIEWED = "Decided in review.", _("Decided in review.")
    REVIEWED_TOGETHER = "Decided in review, many at once.", _("Decided in review, many at once.")
    TAKEN_BACK = "Taken back in review.", _("Taken back in review.")
    UNDONE = "Undone.", _("Undone.")


def read_reason(reason: str) -> str:
    """A kept reason as the reader sees it.

    >>> read_reason("They told me at the counter.")
    'They told me at the counter.'
    """
    return str(Own(reason).label) if reason in Own.values else reason
