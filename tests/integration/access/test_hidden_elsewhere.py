"""What is hidden is hidden where nobody looks for it: in segments, previews of merges, review and quarantine."""

import json
from typing import Any

import pytest

from cdp_site.core.access import scope_of
from cdp_site.core.models import User
from ingestion import quarantine
from ingestion.models import Source
from profiles import comparison, merging
from profiles.masking import without_hidden
from profiles.matching import presenting
from profiles.models import EventType, Profile
from segments import audience, authoring, catalogue
from segments.models import Segment
from tests.customers import Tell, identify, profile_of, track


@pytest.fixture
def people(tell: Tell, pos: Source) -> list[Profile]:
    """Six with the same faith and illness, more than the five below which no value is suggested."""
    for number in range(6):
        name = f"P{number}"
        tell(pos, identify(name, firstName="Wichai", religion=f"CanaryFaith{number // 5}", city="Trang"))
        tell(pos, track(name, "Survey Answered", survey="Mood", diagnosis="CanaryDiagnosis"))
    return [profile_of(pos, f"P{number}") for number in range(6)]


def attribute(trait: str) -> dict[str, Any]:
    return {"kind": "attribute", "trait": trait, "operator": "is", "value": "CanaryFaith0"}


def touchpoint() -> dict[str, Any]:
    where = {"property": "diagnosis", "operator": "is", "value": "CanaryDiagnosis"}
    return {
        "kind": "touchpoint",
        "event": "Survey Answered",
        "count": {"bound": "at_least", "n": 1},
        "window": {"kind": "ever"},
        "filters": [where],
    }


class TestSegments:
    def test_offer_neither_field_nor_value_nor_count(self, people: list[Profile], marketer: User) -> None:
        scope = scope_of(marketer)
        fields = catalogue.fields(scope, events=["Survey Answered"])
        assert "religion" not in fields.traits
        assert "diagnosis" not in (fields.events["Survey Answered"].properties or {})
        assert catalogue.common_attributes("religion", scope) == ()
        assert catalogue.common_properties("Survey Answered", "diagnosis", scope) == ()
        assert [one.value for one in catalogue.common_attributes("city", scope)] == ["Trang"], "others are offered"

    @pytest.mark.parametrize("condition", [attribute("religion"), touchpoint()], ids=["trait", "property"])
    def test_of_hidden_data_are_counted_for_nobody(
        self, people: list[Profile], marketer: User, condition: dict[str, Any]
    ) -> None:
        segment = authoring.create(
            name="Faith",
            description="",
            department=marketer.department,
            definition={"version": 1, "where": {"kind": "all", "of": [attribute("city")]}},
            by=marketer,
        )
        stored = {**segment.definition, "where": {"kind": "all", "of": [condition]}}
        Segment.objects.filter(pk=segment.pk).update(definition=stored)
        segment.refresh_from_db()
        with pytest.raises(audience.HiddenProblem):
            audience.Question.of_segment(segment, scope_of(marketer))
        assert audience.standing(people[0], [segment], scope_of(marketer)).segments == []


class TestStewards:
    def test_previews_of_merges_leave_it_out(self, people: list[Profile], steward: User) -> None:
        preview = merging.preview_merge([people[0], people[5]])
        assert "religion" in preview.changed_traits
        seen = preview.within(scope_of(steward))
        assert "religion" not in seen.changed_traits
        assert "CanaryFaith" not in str(comparison.compare(seen))

    def test_review_leaves_it_out(self, people: list[Profile], steward: User) -> None:
        pair = tuple(sorted(people[place].birth_record.pk for place in (0, 5)))
        told = str(presenting.side_by_side([pair], scope=scope_of(steward)))  # type: ignore[list-item]
        assert "Wichai" in told
        assert "CanaryFaith" not in told

    def test_quarantine_masks_it(self, pos: Source, steward: User) -> None:
        said = {"type": "identify", "traits": {"religion": "CanaryFaith", "เชื้อชาติ": ["CanaryOrigin"], "city": "Trang"}}
        told = quarantine.legible(json.dumps(said).encode())
        assert "Trang" in told
        assert "Canary" not in told


def test_json_is_read_at_any_depth(marketer: User) -> None:
    said = {"survey": [{"Blood-Type": "O", "mood": "good"}], "bloodType": "O", "context": {"health": {"bmi": 20}}}
    assert without_hidden(said, scope_of(marketer)) == {"survey": [{"mood": "good"}], "context": {}}


def test_event_types_are_counted_within_the_scope(people: list[Profile], agent: User, marketer: User) -> None:
    EventType.objects.filter(name="Survey Answered").update(department=marketer.department)
    assert "Survey Answered" not in catalogue.fields(scope_of(agent)).events
