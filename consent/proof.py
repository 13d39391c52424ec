"""What a message rested on when it was sent: what the person had said by then, and what they say now.

This is history and permits nothing: whether something may be used is asked of `consent.gate`.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from cdp_site.core.access import scope_of
from cdp_site.core.errors import Text
from cdp_site.core.models import User
from consent import dossier
from consent.dossier import Dossier
from consent.matrix import Told, told_of
from consent.models import Channel, ConsentEntry, Purpose
from consent.states import State, Verdict
from consent.wording import STATES
from profiles import masking
from profiles.models import Profile


@dataclass(frozen=True, slots=True)
class Proof:
    """One purpose on one channel at a moment, by what the person had said: a source that sends by itself knows that
    before us. `reached_us_later` says that the entry that decided was told to us after the moment.

    `told` is the entry that decided; None when there was none.
    """

    purpose: Purpose
    channel: Channel
    state: State
    text: Text
    was_allowed: bool
    told: Told | None
    reached_us_later: bool
    now: State

    @property
    def needed_none(self) -> bool:
        """The purpose rests on a contract or the like, and nothing had been said against it."""
        return self.was_allowed and self.state is State.NEVER

    @property
    def has_changed(self) -> bool:
        return self.now is not self.state

    @property
    def now_text(self) -> Text:
        return STATES[self.now]

    @property
    def may_object(self) -> bool:
        """Whether the person does not object already."""
        return not self.now.denies


def at_moment(
    profile: Profile, purposes: Iterable[Purpose], channel: Channel, at: datetime, *, by: User
) -> list[Proof]:
    """The proof of each purpose on the channel. Four queries beside the scope."""
    scope = scope_of(by)
    known = dossier.read(profile, scope=scope)
    by_purpose: dict[int, list[ConsentEntry]] = defaultdict(list)
    for entry in ConsentEntry.objects.of_profiles([profile.pk]).said_by(at).latest_first():
        by_purpose[entry.purpose_id].append(entry)
    then = replace(known, entries=by_purpose, at=at)
    masks = not masking.shows_identifiers(by, profile.pk)
    found = []
    for purpose in purposes:
        verdict, now = then.overall(purpose, channel), known.overall(purpose, channel)
        entry = _entry(then, purpose, verdict)
        found.append(
            Proof(
                purpose=purpose,
                channel=channel,
                state=verdict.state,
                text=STATES[verdict.state],
                was_allowed=verdict.is_usable,
                told=told_of(entry, scope, masks=masks) if entry else None,
                reached_us_later=entry is not None and entry.received_at > at,
                now=now.state,
            )
        )
    return found


def _entry(then: Dossier, purpose: Purpose, verdict: Verdict) -> ConsentEntry | None:
    if verdict.because is None:
        return None
    return next((entry for entry in then.entries.get(purpose.pk, ()) if entry.pk == verdict.because.id), None)
