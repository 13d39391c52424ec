"""The one script to be said to a customer, and why it is this one."""

from dataclasses import dataclass

from cdp_site.core.access import Scope
from profiles.models import Profile
from segments import audience
from segments.models import Script, Segment


@dataclass(frozen=True, slots=True)
class Chosen:
    """`sentence` says in words who is in the segment; `passed_over` are the segments whose scripts rank lower."""

    script: Script
    sentence: str
    passed_over: list[Segment]


def best(profile: Profile, scope: Scope) -> Chosen | None:
    """The script of the first rank among those of the segments that the customer is in now; None without any.

    A script is written for agents of every department. Whether the customer is in its segment is asked with the
    viewer's eyes: a segment that names what they do not see gives them no script. Four queries and the mark of time.
    """
    scripts = {script.segment: script for script in Script.objects.said()}
    standing = audience.standing(profile, scripts, scope)
    if not standing.segments:
        return None
    first, *others = standing.segments
    return Chosen(scripts[first], standing.sentence(first), others)


def current(script_id: int) -> Script | None:
    """A script that is in use, with its segment."""
    found: Script | None = Script.objects.said().filter(pk=script_id).first()
    return found
