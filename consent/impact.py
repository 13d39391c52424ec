"""What a merge or unmerge would change in what may be used: a part of its preview."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from cdp_site.core import impact
from cdp_site.core.impact import Effect
from consent.contacts import CHANNELS_OF_KIND, fault_of
from consent.dossier import statement_of
from consent.models import Channel, ConsentEntry, Purpose
from consent.states import Basis, Held, State, Statement, overall, resolve
from consent.terms import born_by, terms_of
from consent.wording import STATES
from profiles.models import Identifier, SourceRecord

Group = frozenset[int]
Birth = tuple[str, object]  # kind of a record, day of birth that it says


@dataclass(frozen=True)
class _Standing:
    """One channel of some people for one purpose: the addresses that may be used, and what each group says."""

    usable: frozenset[str]
    states: Mapping[Group, State]


def preview(before: Sequence[Group], after: Sequence[Group]) -> list[Effect]:
    """A line for each purpose and channel of which the usable addresses change, losses first. Four queries."""
    records = frozenset().union(*before, *after)
    held = _held(records)
    said: dict[int, list[Statement]] = {}
    for entry in ConsentEntry.objects.of_records(records).standing():
        said.setdefault(entry.purpose_id, []).append(statement_of(entry))
    births = _births(records)
    effects = [
        effect
        for purpose in Purpose.objects.filter(is_active=True)
        for channel in Channel
        for effect in _effects(
            purpose,
            channel,
            _standing(before, purpose, channel, said.get(purpose.pk, ()), held, births=births),
            _standing(after, purpose, channel, said.get(purpose.pk, ()), held, births=births),
        )
    ]
    return sorted(effects, key=lambda effect: not effect.is_loss)


def _held(records: Collection[int]) -> list[Held]:
    identifiers = Identifier.objects.filter(record__in=records, kind__in=CHANNELS_OF_KIND)
    return [
        Held(one.record_id, channel, one.value)
        for one in identifiers
        if fault_of(one) is None
        for channel in CHANNELS_OF_KIND[one.kind]
    ]


def _births(records: Collection[int]) -> dict[int, Birth]:
    rows = SourceRecord.objects.filter(pk__in=records, attributes__has_key="birth_date")
    return {pk: (kind, day) for pk, kind, day in rows.values_list("pk", "kind", "attributes__birth_date")}


def _standing(
    groups: Sequence[Group],
    purpose: Purpose,
    channel: Channel,
    said: Iterable[Statement],
    held: Iterable[Held],
    *,
    births: Mapping[int, Birth],
) -> _Standing:
    basis = Basis(purpose.basis)
    usable: set[str] = set()
    states = {}
    for group in groups:
        own = [one for one in held if one.record_id in group and one.channel == channel]
        statements = [one for one in said if one.record_id in group and one.channel == channel]
        born = born_by(births[record] for record in group if record in births)
        terms = terms_of(purpose, born=born, at=timezone.now())
        verdicts = resolve(statements, basis=basis, held=own, terms=terms)
        addresses = {one.address for one in own}
        usable.update(
            target.address for target, one in verdicts.items() if one.is_usable and target.address in addresses
        )
        states[group] = overall(verdicts, channel, basis=basis).state
    return _Standing(frozenset(usable), states)


def _effects(purpose: Purpose, channel: Channel, before: _Standing, after: _Standing) -> Iterable[Effect]:
    area = _("Consent: %(purpose)s, %(channel)s") % {"purpose": purpose, "channel": channel.label}
    lost, gained = len(before.usable - after.usable), len(after.usable - before.usable)
    if lost:
        text = ngettext("%(n)d address may no longer be used", "%(n)d addresses may no longer be used", lost)
        yield Effect(area, text % {"n": lost}, is_loss=True)
    if gained:
        text = ngettext("%(n)d more address may be used", "%(n)d more addresses may be used", gained)
        yield Effect(area, text % {"n": gained})
    if not lost and not gained:
        yield from _without_addresses(area, before, after)


def _without_addresses(area: str, before: _Standing, after: _Standing) -> Iterable[Effect]:
    """Who has no address on the channel yet may still lose a consent, or be held to a refusal."""
    changes = {
        (was, becomes)
        for old, was in before.states.items()
        for new, becomes in after.states.items()
        if old & new and was is not becomes and State.NEVER not in (was, becomes)
    }
    for was, becomes in sorted(changes):
        text = _("%(before)s becomes %(after)s") % {"before": STATES[was], "after": STATES[becomes]}
        yield Effect(area, text, is_loss=was is State.GRANTED)


def register() -> None:
    impact.register(preview)
