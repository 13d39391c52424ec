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
    """One purpose on one channel at a moment.

    `needed_none`: the purpose rests on a contract or the like, and nothing had been said against it. `told` is the
    entry that decided; None when there was none. `may_withdraw`: the person does not object already.
    """

    purpose: Purpose
    channel: Channel
    state: State
    text: Text
    was_allowed: bool
    told: Told | None
    now: Text
    may_withdraw: bool

    @property
    def needed_none(self) -> bool:
        return self.was_allowed and self.state is State.NEVER


def at_moment(
    profile: Profile, purposes: Iterable[Purpose], channel: Channel, at: datetime, *, by: User
) -> list[Proof]:
    """The proof of each purpose on the channel, from what had reached us by then. Four queries beside the scope."""
    scope = scope_of(by)
    known = dossier.read(profile, scope=scope)
    by_purpose: dict[int, list[ConsentEntry]] = defaultdict(list)
    for entry in ConsentEntry.objects.of_profiles([profile.pk]).stood(at).latest_first():
        by_purpose[entry.purpose_id].append(entry)
    then = replace(known, entries=by_purpose)
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
                now=STATES[now.state],
                may_withdraw=not now.state.denies,
            )
        )
    return found


def _entry(then: Dossier, purpose: Purpose, verdict: Verdict) -> ConsentEntry | None:
    if verdict.because is None:
        return None
    return next((entry for entry in then.entries.get(purpose.pk, ()) if entry.pk == verdict.because.id), None)
