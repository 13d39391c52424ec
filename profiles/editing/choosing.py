"""Two values of one field, when somebody else was faster: the one that stands there, and the one that was typed."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _

from cdp_site.core import actors
from profiles.editing import reading
from profiles.editing.fields import Editable, Field
from profiles.models import AgentEdit, SourceRecord

_LOOKED_AT = 20  # changes of the customer, of which the latest of these traits is


@dataclass(frozen=True, slots=True)
class Row:
    """A field of the form. `now` is ready to be shown, `keeps` what the input says for it; `mine` what was typed, None
    where nobody has to choose, and `shown` the same as people read it."""

    field: Field
    now: str
    keeps: str
    mine: str | None
    shown: str = ""


def rows(now: Editable, said: Mapping[str, str]) -> list[Row]:
    """The fields in their order; those in which both say the same leave no choice."""
    typed = reading.read(now, said).values
    return [_row(one, said.get(one.trait.name, ""), differs=_differs(now, one.trait.name, typed)) for one in now.fields]


def _differs(now: Editable, trait: str, typed: Mapping[str, object]) -> bool:
    return trait in typed and typed[trait] != now.values.get(trait)


def _row(field: Field, said: str, *, differs: bool) -> Row:
    labels = dict(field.choices)
    return Row(
        field=field,
        now=field.hidden or labels.get(field.text, field.text),
        keeps=field.text,
        mine=said.strip() if differs else None,
        shown=labels.get(said.strip(), said.strip()),
    )


def changed_by(now: Editable) -> str:
    """Who says what stands there now: the colleague who changed it last, or the source; "" when nobody does."""
    if now.record is None or now.record.kind != SourceRecord.Kind.AGENT:
        return now.source_name
    edits = AgentEdit.objects.filter(record=now.record, undone_at=None).select_related("by").order_by("-at")
    last = next((edit for edit in edits[:_LOOKED_AT] if now.names & set(edit.traits)), None)
    return actors.name_of(last.by) if last is not None and last.by is not None else _("a colleague")
