"""The queue of pairs that wait for a person's verdict."""

from profiles.models import ReviewPair


def waiting() -> int:
    """How many pairs a person is asked about."""
    return ReviewPair.objects.filter(state__in=(ReviewPair.State.WAITING, ReviewPair.State.SECOND)).count()
