"""Changing traits: a statement of the customer's agent record, made only by who has seen what it replaces."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from cdp_site.core import audit
from cdp_site.core.access import EVERYTHING
from cdp_site.core.errors import ConflictProblem, MendableError, NotFoundProblem
from cdp_site.core.models import User
from ingestion.normalise.traits import IdentifierCandidate, NormalisedTraits
from profiles import identifiers, intake, notes, overview, pins
from profiles.editing import fields, reading, undoing
from profiles.editing.fields import Editable
from profiles.editing.holding import hold
from profiles.editing.reading import Typed
from profiles.models import AgentEdit, Profile, SourceRecord
from profiles.statements import Owner, RecordKey, StatedIdentifier, Statement
from profiles.survivorship import is_value, unit_of
from profiles.touchpoints import INTERNAL_SOURCE


class Overtaken(ConflictProblem):
    """Somebody changed it since the form was opened: both values are to be chosen from. `now` is what stands there."""

    code = "overtaken"

    def __init__(self, now: Editable) -> None:
        super().__init__(_("Somebody has changed this meanwhile."), hint=_("Choose which value is right."))
        self.now = now


@dataclass(frozen=True, slots=True)
class Changed:
    """What a change did. `edit` None: what was typed stands there already. `shows_source`: the agents' value was taken
    away, and a source's shows again."""

    edit: AgentEdit | None
    shows_source: bool = False


@transaction.atomic
def change(*, profile: Profile, trait: str, said: Mapping[str, str], version: str, by: User) -> Changed:
    """State what was typed, for the trait and those that survive together with it.

    Args:
        said: trait → text, of the fields of the form.
        version: of what the person saw when they began (`Editable.version`).

    Raises NotFoundProblem for a trait that is not theirs to change, Unreadable for values that cannot be kept,
    Overtaken when something else stands there now, MendableError when a source's value was to be emptied,
    ConflictProblem when the customer was merged.
    """
    hold(profile)
    editable = fields.load(profile, trait, by=by)
    if editable is None:
        raise NotFoundProblem(_("There is nothing here for you to change."))
    typed = reading.read(editable, said)
    news = {name: value for name, value in typed.values.items() if editable.values.get(name) != value}
    if not news:
        return Changed(None)
    if version != editable.version:
        raise Overtaken(editable)
    intake.lock_identifiers(_identifiers(typed.identifiers))
    record = notes.agent_record(profile, by=by)
    stated = _stated(editable, record, news)
    before = undoing.look(profile, record, unit_of(trait))
    at = _next_moment(record, stated)
    _state(record, profile, stated, typed, at=at, by=by)
    wins = any(is_value(value) for value in stated.values())
    if wins:
        _let_win(profile, record, stated, by=by)
    edit = AgentEdit.objects.create(
        record=record, by=by, at=at, traits=sorted(news), before=undoing.with_pin(before, record)
    )
    audit.record(action="profile.edit", target=profile, by=by, fields=sorted(news))
    return Changed(edit, shows_source=not wins)


def _stated(editable: Editable, record: SourceRecord, news: Mapping[str, Any]) -> dict[str, Any]:
    """What the agent record says from now on: the unit as a whole, with what was typed; None clears."""
    unit = unit_of(editable.trait.name)
    whole = {**editable.values, **news}
    if news.keys() & {"first_name", "last_name"} and "name" in whole and "name" not in news:
        whole["name"] = None  # it repeated the parts that have changed
    said = {part: whole.get(part) for part in unit if whole.get(part) is not None or part in record.attributes}
    if any(is_value(value) for value in said.values()):
        return said
    if not any(is_value(record.attributes.get(part)) for part in unit):
        raise MendableError(
            _("This comes from %(source)s: it can be replaced here, not emptied.") % {"source": editable.source_name},
            field=editable.trait.name,
        )
    return said


def _next_moment(record: SourceRecord, stated: Mapping[str, Any]) -> datetime:
    """Now, and later than what the record says so far: of two statements of one moment the greater value would win."""
    known = [datetime.fromisoformat(record.attribute_times[part]) for part in stated if part in record.attribute_times]
    return max([timezone.now(), *(at + timedelta(microseconds=1) for at in known)])


def _state(
    record: SourceRecord, profile: Profile, stated: dict[str, Any], typed: Typed, *, at: datetime, by: User
) -> None:
    key = RecordKey(record.source_id, record.kind, record.external_id)
    kept = [one for one in typed.identifiers if stated.get(one.kind) is not None]
    statement = Statement(
        key=key,
        occurred_at=at,
        received_at=at,
        traits=NormalisedTraits(stated, tuple(kept), (), ()),
        identifiers=tuple(_identifiers(kept)),
    )
    existing = intake.Existing(owners={key: Owner(record.pk, profile.pk)})
    intake.take([statement], existing, by=audit.actor_name(by))
    record.refresh_from_db()


def _identifiers(typed: Iterable[IdentifierCandidate]) -> list[StatedIdentifier]:
    return identifiers.read(typed, namespace=INTERNAL_SOURCE, is_public_key=False)


def _let_win(profile: Profile, record: SourceRecord, stated: Mapping[str, Any], *, by: User) -> None:
    """What a person has just put right is shown: where the rules would choose another record, this one is pinned."""
    records = overview.records_of([profile], EVERYTHING)[profile.pk]
    winners = overview.golden_of(records, overview.traits_of(records), EVERYTHING)
    part = next(part for part, value in stated.items() if is_value(value))
    if winners[part].candidate.record_id != record.pk:
        pins.add(profile=profile, record=record, trait=part, by=by)
