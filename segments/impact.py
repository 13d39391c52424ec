"""What a merge or unmerge would change in segments: a part of its preview."""

from collections.abc import Sequence

from django.utils import timezone
from django.utils.translation import gettext as _

from cdp_site.core import impact
from cdp_site.core.access import EVERYTHING
from cdp_site.core.impact import Effect
from segments import audience, catalogue, persons, spellings
from segments.definition.evaluate import Moment, holds
from segments.models import Segment
from segments.persons import Group


def preview(before: Sequence[Group], after: Sequence[Group]) -> list[Effect]:
    """A line for each segment that a customer would leave or enter, losses first, but for those that use sensitive
    data: who merges need not see it. Twelve queries at most.

    Evaluated by the reference engine, since the people of `after` are not in the database.
    """
    stored = list(Segment.objects.living())
    if not stored:
        return []
    fields = catalogue.without_sensitive(catalogue.fields(EVERYTHING))
    read = {segment: audience.readable(segment, fields) for segment in stored}
    written = {segment: definition for segment, definition in read.items() if definition is not None}
    segments = dict(zip(written, spellings.widened(list(written.values())), strict=True))
    people = persons.load([*before, *after], asked=segments.values())
    moment = Moment(timezone.now(), audience.company_time_zone())
    effects = []
    for segment, definition in segments.items():
        answers = [person is not None and holds(definition.where, person, moment) for person in people]
        was, becomes = any(answers[: len(before)]), any(answers[len(before) :])
        if was != becomes:
            text = _("enters it") if becomes else _("leaves it")
            effects.append(Effect(_("Segment: %(name)s") % {"name": segment.name}, text, is_loss=was))
    return sorted(effects, key=lambda effect: not effect.is_loss)


def register() -> None:
    impact.register(preview)
