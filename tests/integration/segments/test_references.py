"""Segments that ask for segments: resolved before anybody is asked, and never in a circle."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from pytest_django import DjangoAssertNumQueries

from cdp_site.core.access import EVERYTHING, scope_of
from cdp_site.core.models import User
from segments import audience, authoring, catalogue, references
from segments.audience import HiddenProblem
from segments.builder.review import review
from segments.definition import nodes
from segments.definition.parse import DefinitionProblem, parse
from segments.models import Segment
from segments.references import MOST_CONDITIONS, MOST_LEVELS
from tests.integration.segments.conftest import viewed_red, whole

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("viewers")]
Make = Callable[..., Segment]


def in_(segment: Segment | UUID, *, is_in: bool = True) -> dict[str, Any]:
    pk = segment if isinstance(segment, UUID) else segment.pk
    return {"kind": "segment", "segment": str(pk), "is_in": is_in}


def rewrite(segment: Segment, *conditions: dict[str, Any], by: User) -> Segment:
    return authoring.change(
        segment=segment,
        name=segment.name,
        description="",
        department=segment.department,
        definition=whole(*conditions),
        by=by,
    )


def problems(act: Callable[[], object]) -> list[tuple[str, str, str]]:
    with pytest.raises(DefinitionProblem) as caught:
        act()
    return [(one.place, one.code, str(one.text)) for one in caught.value.problems]


def test_a_segment_of_segments_counts_whom_they_count(make_segment: Make) -> None:
    red = make_segment(name="Red")
    rest = make_segment(in_(red, is_in=False), name="Rest")
    again = make_segment(in_(rest, is_in=False), name="Red again")

    counts = [audience.count(audience.Question.of_segment(one, EVERYTHING)) for one in (red, rest, again)]

    assert counts == [3, 3, 3]


class TestCircles:
    def test_a_segment_cannot_ask_for_itself(self, make_segment: Make, marketer: User) -> None:
        red = make_segment(name="Red")

        found = problems(lambda: rewrite(red, viewed_red(), in_(red), by=marketer))

        assert found == [("/where/of/1/segment", "segment-cycle", "The segment would ask for itself: Red → Red.")]
        red.refresh_from_db()
        assert red.version == 1

    def test_nor_by_way_of_others_and_the_way_is_named(self, make_segment: Make, marketer: User) -> None:
        first = make_segment(name="First")
        second = make_segment(in_(first), name="Second")
        third = make_segment(viewed_red(), in_(second), name="Third")

        found = problems(lambda: rewrite(first, viewed_red(), {"kind": "not", "of": [in_(third)]}, by=marketer))

        path = "First → Third → Second → First"
        assert found == [("/where/of/1/of/0/segment", "segment-cycle", f"The segment would ask for itself: {path}.")]

    def test_it_is_told_at_once_with_every_other_mistake(self, make_segment: Make, marketer: User) -> None:
        first = make_segment(name="First")
        second = make_segment(in_(first), name="Second")
        wrong = {**viewed_red(), "count": {"bound": "at_least", "n": "many"}}
        nested = {"kind": "not", "of": [wrong, in_(second)]}

        written = problems(lambda: rewrite(first, {"kind": "segment", "segment": "x"}, nested, by=marketer))
        draft = review(whole(nested, {"kind": "attribute"}), catalogue.fields(scope_of(marketer)), first.pk)

        assert [(place, code) for place, code, _text in written] == [
            ("/where/of/0/is_in", "key-missing"),
            ("/where/of/1/of/0/count/n", "whole-number-expected"),
            ("/where/of/1/of/1/segment", "segment-cycle"),
        ]
        assert [one.code for one in draft.wrong] == ["whole-number-expected", "segment-cycle"]
        assert [one.code for one in draft.open] == ["key-missing", "key-missing"]

    def test_but_nothing_is_told_of_a_segment_that_the_author_does_not_see(
        self, make_segment: Make, make_user: Callable[..., User], care: Any
    ) -> None:
        carer = make_user("marketer", care, "carer")
        common = make_segment(name="Common", department=None)
        hidden = make_segment(in_(common), name="Hidden")
        fields = catalogue.fields(scope_of(carer), by=carer)

        found = review(whole(in_(hidden)), fields, common.pk)

        assert [one.code for one in found.problems] == ["segment-unknown"]

    def test_one_that_is_stored_all_the_same_answers_with_a_problem(self, make_segment: Make) -> None:
        """Two people may write at once: who comes second is not seen by the first. Nobody is counted wrongly."""
        first = make_segment(name="First")
        second = make_segment(in_(first), name="Second")
        Segment.objects.filter(pk=first.pk).update(definition=whole(in_(second)))

        for segment in Segment.objects.all():
            definition = references.parsed(segment.definition)
            assert not references.is_resolved(definition)
            with pytest.raises(HiddenProblem):
                audience.Question.of_segment(segment, EVERYTHING)
            assert [code for _place, code, _text in problems(lambda d=definition: audience.Question.of(d, EVERYTHING))]

    def test_asking_for_one_segment_twice_is_no_circle(self, make_segment: Make) -> None:
        red = make_segment(name="Red")
        one, other = make_segment(in_(red), name="One"), make_segment(in_(red), name="Other")

        both = make_segment(in_(one), in_(other), in_(red), name="Both")

        assert audience.count(audience.Question.of_segment(both, EVERYTHING)) == 3


class TestLimits:
    def test_not_too_deep(self, make_segment: Make) -> None:
        last = make_segment(name="0")
        for level in range(1, MOST_LEVELS + 1):
            last = make_segment(in_(last), name=str(level))

        ((place, code, _text),) = problems(lambda: make_segment(in_(last), name="Too deep"))

        assert (place, code) == ("/where/of/0/segment", "segments-too-deep")

    def test_not_too_many_conditions_in_all(self, make_segment: Make) -> None:
        """Twice the one below, five times over, would ask 2⁵ times as much."""
        last = make_segment(*[viewed_red(n) for n in range(1, 61)], name="0")
        for level in (1, 2):
            last = make_segment(in_(last), in_(last), name=str(level))

        ((place, code, told),) = problems(lambda: make_segment(in_(last), in_(last), name="Too many"))

        assert (place, code) == ("/where", "segments-too-many-conditions")
        assert str(MOST_CONDITIONS) in told


class TestWhatIsGone:
    def test_a_segment_that_is_gone_is_a_problem_at_its_place(self, make_segment: Make) -> None:
        found = problems(lambda: make_segment(in_(UUID(int=5)), name="Orphan"))

        assert [(place, code) for place, code, _text in found] == [("/where/of/0/segment", "segment-unknown")]

    def test_and_nobody_is_counted_by_a_stored_definition_that_asks_for_it(self, make_segment: Make) -> None:
        segment = make_segment(name="Orphan")
        Segment.objects.filter(pk=segment.pk).update(definition=whole(in_(UUID(int=5), is_in=False)))
        segment.refresh_from_db()

        with pytest.raises(HiddenProblem):
            audience.Question.of_segment(segment, EVERYTHING)

    def test_a_deleted_source_is_a_problem_at_its_place(self, make_segment: Make) -> None:
        condition = {**viewed_red(), "sources": ["web", "gone"]}

        found = problems(lambda: make_segment(condition, name="Old shop"))

        assert [(place, code) for place, code, _text in found][-1] == ("/where/of/0/sources/1", "source-unknown")

    def test_a_segment_of_another_department_is_unknown(
        self, make_segment: Make, make_user: Callable[..., User], care: Any
    ) -> None:
        red = make_segment(name="Red")
        carer = make_user("marketer", care, "carer")

        found = problems(lambda: make_segment(in_(red), name="Theirs", by=carer, department=care))

        assert [(place, code) for place, code, _text in found] == [("/where/of/0/segment", "segment-unknown")]


def test_resolving_costs_a_query_for_each_level(
    make_segment: Make, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    red = make_segment(name="Red")
    others = [make_segment(in_(red), name=name) for name in ("A", "B", "C")]
    plain = [parse(whole(viewed_red()))] * 3
    asking = [parse(whole(in_(one))) for one in others]

    with django_assert_num_queries(0):
        assert references.resolved(plain) == plain
    with django_assert_num_queries(2):
        found = references.resolved(asking)
    assert all(references.is_resolved(definition) for definition in found)
    assert {type(one) for one in nodes.conditions(found[0].where)} == {
        nodes.SegmentCondition,
        nodes.TouchpointCondition,
    }
