"""Segments and computed values of a person with how they come about: for the copy that they may ask for."""

from collections.abc import Iterator
from typing import Any

from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from cdp_site.core.access import EVERYTHING
from cdp_site.core.personal_data import Subject
from consent.package import parts
from consent.package.parts import Column, Section
from segments import presenting
from segments.models import ComputedTrait, ComputedValue, SegmentState
from segments.traits.reading import Seen
from segments.traits.wording import sentence


def sections(subject: Subject) -> Iterator[Section]:
    """Both are worked out by the company, so that they are in the copy and not in what is portable."""
    yield Section(
        "segments",
        _("Groups that you are in, and why"),
        (Column("name", _("Group")), Column("since", _("Since")), Column("explanation", _("Who is in it"))),
        tuple(_segments(subject)),
        is_given=False,
    )
    yield Section(
        "scores",
        _("Values worked out about you, and how"),
        (
            Column("name", _("Kind of data")),
            Column("value", _("Value")),
            Column("description", _("Description")),
            Column("explanation", _("How it is worked out")),
        ),
        tuple(_scores(subject)),
        is_given=False,
    )


def _segments(subject: Subject) -> Iterator[dict[str, Any]]:
    states = SegmentState.objects.of_profiles(subject.profile_ids).filter(is_member=True).select_related("segment")
    found = list(states.order_by("since", "segment"))
    told = presenting.shown([state.segment for state in found], EVERYTHING)
    for state, shown in zip(found, told, strict=True):
        since = timezone.localtime(state.since).isoformat(timespec="seconds") if state.since else ""
        yield {"name": str(shown.segment), "since": since, "explanation": shown.sentence}


def _scores(subject: Subject) -> Iterator[dict[str, Any]]:
    values = ComputedValue.objects.filter(profile__in=subject.profile_ids, value__isnull=False)
    by_trait: dict[int, list[Any]] = {}
    for row in values.order_by("trait"):
        by_trait.setdefault(row.trait_id, []).append(row.value)
    language = "th" if (get_language() or "").startswith("th") else "en"
    seen = Seen(ComputedTrait.objects.filter(pk__in=by_trait).select_related("group").order_by("pk"), EVERYTHING)
    how = {known.trait.pk: sentence(known.formula, language, seen.names) for known in seen.known}
    for trait in ComputedTrait.objects.filter(pk__in=by_trait).order_by("pk"):
        for value in by_trait[trait.pk]:
            told = {"name": str(trait), "value": value, "description": trait.description}
            yield {**told, "explanation": how.get(trait.pk, "")}


def register() -> None:
    parts.register(sections=sections)
