"""Segments as the palette finds them: by words of their names."""

from django.urls import reverse

from cdp_site.core.marking import Piece, pieces
from cdp_site.core.models import User
from cdp_site.core.palette import Item
from segments.models import Segment

MOST = 5


def for_palette(text: str, by: User) -> list[Item]:
    """Those whose names hold every word, the last changed first; before anything is typed, none. One query."""
    if not text.strip():
        return []
    named = Segment.objects.visible_to(by).living().with_words(text.split())
    found = named.select_related("department").newest_first()[:MOST]
    return [
        Item(
            pieces(segment.name, text),
            reverse("segments:segment", args=[segment.pk]),
            "users-group",
            [Piece(str(segment.department), False)] if segment.department else [],
        )
        for segment in found
    ]
