"""What ingestion has to know of consent: which purposes and channels a column may be about, and which of them a browser
refuses by `Sec-GPC: 1`."""

import time

from cdp_site.core import memory
from consent.models import Channel, Purpose
from ingestion import vocabulary

_REFRESH_SECONDS = 60.0


def _choices() -> tuple[vocabulary.Choices, vocabulary.Choices]:
    """One query."""
    purposes = [(purpose.slug, str(purpose)) for purpose in Purpose.objects.filter(is_active=True)]
    return purposes, Channel.choices


class _Shared:
    """The purposes that are a sale or sharing of data, remembered by the process: browsers send many requests."""

    def __init__(self) -> None:
        self.slugs: tuple[str, ...] = ()
        self.read_at = float("-inf")

    def __call__(self) -> vocabulary.Shared:
        if time.monotonic() - self.read_at > _REFRESH_SECONDS:
            self.slugs = tuple(Purpose.objects.filter(is_active=True, is_sharing=True).values_list("slug", flat=True))
            self.read_at = time.monotonic()
        return self.slugs, Channel.values

    def forget(self) -> None:
        """As if the process had just begun."""
        self.read_at = float("-inf")


_shared = _Shared()
memory.forgets(_shared.forget)


def lend() -> None:
    vocabulary.lend_consent(_choices)
    vocabulary.lend_sharing(_shared)
