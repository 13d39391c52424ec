"""What a step changed about people: the one form in which whatever is derived from them hears of it.

Profiles and consent send it, since they know; it is spelled here as the segments app uses it.
"""

from collections.abc import Sequence

from profiles.signals import Aspect, Touch, people_touched, tell_touched

__all__ = ["Aspect", "Touch", "people_touched", "tell"]


def tell(touches: Sequence[Touch]) -> None:
    """Tell what is derived from people that these have changed, in the caller's transaction."""
    tell_touched(*touches)
