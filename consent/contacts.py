"""Addresses of customers, and what is wrong with them. Which may be used is the gate's to say."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from cdp_site.core.access import Scope
from consent.models import Channel
from consent.reasons import Reason
from ingestion.normalise.values import Problem
from profiles import listing
from profiles.models import Identifier, Profile

# The kind of identifier that a channel reaches people by. Post goes to the address of the golden record.
KIND_OF_CHANNEL: Mapping[str, str] = {
    Channel.EMAIL: "email",
    Channel.SMS: "phone",
    Channel.PHONE: "phone",
    Channel.LINE: "line",
    Channel.PUSH: "push",
}
CHANNELS_OF_KIND: Mapping[str, tuple[str, ...]] = {
    kind: tuple(channel for channel, of in KIND_OF_CHANNEL.items() if of == kind) for kind in KIND_OF_CHANNEL.values()
}

# An office's number with an extension reaches the person, although others share it.
HARMLESS = ("", Problem.SWITCHBOARD.value)
PUBLIC_KEY = "public_key"  # as profiles.identifiers writes it
# The least fault first: an address that one record holds well is well, whatever the others say.
FAULTS: tuple[Reason | None, ...] = (None, Reason.ENDED, Reason.REPLACED, Reason.UNCONFIRMED, Reason.UNUSABLE)

POSTAL_TRAITS = ("address", "address_line2", "subdistrict", "district", "city", "province", "postcode", "country")


class Contact(NamedTuple):
    """An address as the person's records hold it together. `raw` is as it came, for display."""

    kind: str
    address: str
    raw: str
    fault: Reason | None


def fault_of(identifier: Identifier) -> Reason | None:
    """What keeps one record's identifier from being an address; None when nothing does."""
    if identifier.problem == PUBLIC_KEY:
        return Reason.UNCONFIRMED
    if identifier.problem not in HARMLESS:
        return Reason.UNUSABLE
    if identifier.valid_to is not None:
        return Reason.ENDED
    return None if identifier.is_current else Reason.REPLACED


def together(identifiers: Iterable[Identifier]) -> list[Contact]:
    """The addresses of one person, each once with its least fault, the best and the newest first."""
    found: dict[tuple[str, str], tuple[int, Identifier]] = {}
    for identifier in sorted(identifiers, key=lambda one: (one.last_stated_at, one.pk), reverse=True):
        if identifier.kind in CHANNELS_OF_KIND:
            fault = FAULTS.index(fault_of(identifier))
            known = found.get((identifier.kind, identifier.value))
            if known is None or fault < known[0]:
                found[identifier.kind, identifier.value] = (fault, identifier)
    ordered = sorted(found.items(), key=lambda entry: entry[1][0])
    return [Contact(kind, address, row.raw, FAULTS[fault]) for (kind, address), (fault, row) in ordered]


def postal_addresses(profiles: Sequence[Profile], scope: Scope) -> dict[int, str]:
    """Profile id → the postal address of its golden record within the scope. No query without a scope, else one."""
    if scope.is_unrestricted:
        return {profile.pk: postal(profile.golden) for profile in profiles}
    listed = listing.read(profiles, scope)
    return {profile.pk: postal(listed[profile.pk].values if profile.pk in listed else {}) for profile in profiles}


def postal(golden: Mapping[str, Any]) -> str:
    """The postal address of a golden record on one line; empty when it has none."""
    parts = [golden.get(trait) for trait in POSTAL_TRAITS]
    texts = [str(part[0] if isinstance(part, list) and part else part).strip() for part in parts if part]
    return ", ".join(text for text in texts if text) if golden.get("address") else ""
