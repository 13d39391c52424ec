"""Who may be reached for a list, and by which addresses: the gate, asked for each channel of the list's form."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from cdp_site.core.access import Scope
from consent import gate
from consent.models import Channel, Purpose
from consent.reasons import Reason, first_told
from segments.exports.formats import Format


@dataclass(frozen=True, slots=True)
class Answer:
    """`addresses`: channel → the best address that may be used; `reason` why there is none at all."""

    addresses: Mapping[str, str]
    reason: Reason | None


def ask(
    profile_ids: Collection[int], *, purpose: Purpose, form: Format, channels: Sequence[str], scope: Scope
) -> dict[int, Answer]:
    """Profile id → answer, of those who are live: the best address of each channel that the form can take. One
    statement for each channel and 2,000 people."""
    addresses: dict[int, dict[str, str]] = {}
    reasons: dict[int, list[Reason]] = {}
    for channel in channels:
        passage = gate.usable_addresses(profile_ids, purpose=purpose, channel=Channel(channel), scope=scope)
        for profile_id, usable, reason in passage.rows:
            own = addresses.setdefault(profile_id, {})
            fitting = next((one.address for one in usable if form.takes(channel, one.address)), "")
            if fitting:
                own[channel] = fitting
            else:
                reasons.setdefault(profile_id, []).append(reason or Reason.UNUSABLE)
    return {
        profile_id: Answer(own, None if own else first_told(reasons.get(profile_id, [])))
        for profile_id, own in addresses.items()
    }
