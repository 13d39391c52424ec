"""A model learns from fifty answers, says exactly why, and is the same again from its JSON."""

import json
import math
from collections.abc import Iterator
from itertools import combinations

import pytest

from profiles.matching import candidates
from profiles.matching.caps import NAME_ONLY
from profiles.matching.clustering import clusters
from profiles.matching.comparable import comparable
from profiles.matching.learned import NAME_CAP, LearnedMatcher, UnreadableModel, Weights
from profiles.matching.learning import Label, TrainingProblem, train
from profiles.matching.measures import LEAST_ATTACH
from profiles.matching.questions import Questions
from tests.factories.made_people import Made, make_people

PEOPLE = make_people(110, seed=5)


def ask(people: Made, number: int, *, seed: int = 0) -> list[Label]:
    """Answers to the first questions, as somebody gives them who knows everybody."""
    questions, labels = Questions(people.records, seed=seed), []
    while len(labels) < number:
        (question,) = questions.training(1)
        same = people.same(question.a, question.b)
        labels.append(Label(question.a, question.b, same))
        questions.answer(question.a, question.b, same=same)
    return labels


@pytest.fixture(scope="module")
def labels() -> list[Label]:
    return ask(PEOPLE, 50)


@pytest.fixture(scope="module")
def matcher(labels: list[Label]) -> LearnedMatcher:
    return train(PEOPLE.records, labels).matcher


def met_pairs(people: Made) -> Iterator[tuple[int, int]]:
    yield from sorted(candidates.meeting(people.records))


def score_pairs(matcher: LearnedMatcher, people: Made) -> list[tuple[int, int, float]]:
    pairs = list(met_pairs(people))
    scores = matcher.score([(people.records[a], people.records[b]) for a, b in pairs])
    return [(a, b, score) for (a, b), score in zip(pairs, scores, strict=True)]


def test_fifty_answers_find_most_people_and_mix_up_hardly_any(matcher: LearnedMatcher) -> None:
    """A floor, with margin: a good part of the pairs has nothing but a name in common."""
    groups = clusters(score_pairs(matcher, PEOPLE), threshold=LEAST_ATTACH)
    found = {pair for group in groups for pair in combinations(group.records, 2)}
    true = PEOPLE.true_pairs()
    assert len(found & true) / len(found) >= 0.85
    assert len(found & true) / len(true) >= 0.65


def test_the_same_answers_give_the_same_model(matcher: LearnedMatcher, labels: list[Label]) -> None:
    again = train(PEOPLE.records, list(reversed(labels))).matcher
    assert again.to_json() == matcher.to_json()


def test_the_explanation_of_a_score_is_its_sum(matcher: LearnedMatcher) -> None:
    for a, b, score in score_pairs(matcher, PEOPLE):
        why = matcher.explain(PEOPLE.records[a], PEOPLE.records[b])
        assert why.score == pytest.approx(score, abs=1e-9)
        assert why == matcher.explain(PEOPLE.records[b], PEOPLE.records[a])


def test_what_a_record_lacks_is_no_evidence(matcher: LearnedMatcher) -> None:
    a = comparable({"first_name": "Anan", "last_name": "Srisuk", "birth_date": "1980-02-01"})
    b = comparable({"first_name": "Anan", "last_name": "Srisuk", "phone": "+66812345678"})
    assert {one.field for one in matcher.explain(a, b).fields} <= {"given", "family", "names", NAME_ONLY}


def test_more_alike_is_never_less_likely_one_person(matcher: LearnedMatcher) -> None:
    for curve in matcher.weights.curves.values():
        log_odds = [weight for _likeness, weight in curve]
        assert log_odds == sorted(log_odds)


@pytest.mark.parametrize(
    "common",
    [{}, {"gender": "female"}, {"city": "Rayong"}, {"gender": "female", "city": "Rayong", "postcode": "21000"}],
)
def test_no_merge_on_a_name_and_what_thousands_share(matcher: LearnedMatcher, common: dict[str, str]) -> None:
    """Even of a model for which names settle everything."""
    steep = ((0.0, -1.0), (1.0, 40.0))
    believer = LearnedMatcher(Weights(0.0, dict.fromkeys(matcher.weights.curves, steep)))
    a = comparable({"first_name": "Kanyarat", "last_name": "Phrommasuwan", **common})
    b = comparable({"first_name": "Kanyarat", "last_name": "Phrommasuwan", "phone": "+66812345678", **common})
    for judge in (matcher, believer):
        assert judge.score([(a, b)])[0] <= NAME_CAP < LEAST_ATTACH
        assert judge.explain(a, b).score <= NAME_CAP + 1e-9  # a sum of weights, rounded
    assert NAME_ONLY in [one.field for one in believer.explain(a, b).fields]
    assert believer.score([(b, b)])[0] > LEAST_ATTACH


def test_a_model_comes_back_from_its_json(matcher: LearnedMatcher) -> None:
    again = LearnedMatcher.from_json(json.loads(json.dumps(matcher.to_json())))
    assert again.to_json() == matcher.to_json()
    assert score_pairs(again, PEOPLE) == score_pairs(matcher, PEOPLE)
    assert all(again.keys(record) == matcher.keys(record) for record in PEOPLE.records.values())


def test_learned_rules_make_keys_beside_the_fixed_ones(matcher: LearnedMatcher) -> None:
    ruled = LearnedMatcher(Weights(0.0, matcher.weights.curves, (("phone7",), ("given", "family"))))
    record = comparable({"first_name": "Anan", "last_name": "Srisuk", "phone": "+66812345678"})
    extra = ruled.keys(record) - matcher.keys(record)
    assert extra == ruled.rule_keys(record) - matcher.keys(record)
    assert any("phone7:2345678" in key for key in extra)
    assert any("&" in key for key in extra)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"format": 2}, "format"),
        ({"rules": [["shoe_size"]]}, "rules"),
        ({"rules": "phone"}, "rules"),
        ({"prior": math.nan}, "prior"),
        ({"prior": True}, "prior"),
        ({"curves": {}}, "does not weigh"),
        ({"curves": {"shoe_size": [[0, 0]]}}, "not compared"),
        ({"curves": {"given": [[0, 1], [1, 0]]}}, "ascend"),
        ({"curves": {"given": []}}, "no curve"),
        ({"more": 1}, "parts"),
    ],
)
def test_what_is_no_model_of_this_version_is_refused(matcher: LearnedMatcher, change: object, reason: str) -> None:
    with pytest.raises(UnreadableModel, match=reason):
        LearnedMatcher.from_json({**matcher.to_json(), **change})  # type: ignore[dict-item]
    with pytest.raises(UnreadableModel):
        LearnedMatcher.from_json([])


def test_dedupe_partitions_with_the_same_model(matcher: LearnedMatcher) -> None:
    """Its own code, our weights and keys: what `bench match` compares the batch with."""
    raw = matcher.as_dedupe(num_cores=0)
    pairs = [((a, PEOPLE.records[a]), (b, PEOPLE.records[b])) for a, b in list(met_pairs(PEOPLE))[:50]]
    expected = {
        (a[0], b[0]): score
        for (a, b), score in zip(pairs, matcher.score([(a[1], b[1]) for a, b in pairs]), strict=True)
    }
    found = raw.score(iter(pairs))
    assert {tuple(row["pairs"].tolist()): row["score"] for row in found} == pytest.approx(
        {pair: score for pair, score in expected.items() if score > 0}, abs=1e-6
    )


def test_too_few_answers_say_how_many_are_missing() -> None:
    with pytest.raises(TrainingProblem) as problem:
        train(PEOPLE.records, [Label(0, 1, same=True)])
    assert problem.value.code == "too_few_labels"
    assert problem.value.detail == {"have": 1, "need": 20}


def test_one_sided_answers_say_of_which_there_are_too_few() -> None:
    labels = [Label(0, other, same=False) for other in range(1, 26)]
    with pytest.raises(TrainingProblem) as problem:
        train(PEOPLE.records, labels)
    assert problem.value.code == "one_sided_labels"
    assert problem.value.detail == {"same": 0, "different": 25, "need": 5}


def test_records_without_a_key_in_common_are_no_ground_to_learn_on() -> None:
    strange = {number: comparable({"phone": f"+6681{number:07}"}) for number in range(30)}
    labels = [Label(0, other, same=other < 10) for other in range(1, 30)]
    with pytest.raises(TrainingProblem) as problem:
        train(strange, labels)
    assert problem.value.code == "no_blocked_pairs"
    assert problem.value.detail == {"records": 30}


def test_held_out_answers_measure_and_do_not_teach(labels: list[Label], matcher: LearnedMatcher) -> None:
    asked = {label.pair for label in labels}
    questions = Questions(PEOPLE.records, labels, asked=asked).held_out(40)
    wrong = [Label(one.a, one.b, not PEOPLE.same(one.a, one.b), one.weight) for one in questions]
    right = [Label(one.a, one.b, PEOPLE.same(one.a, one.b), one.weight) for one in questions]
    by_wrong, by_right = (train(PEOPLE.records, labels, held_out=held_out) for held_out in (wrong, right))
    assert by_wrong.matcher.to_json() == by_right.matcher.to_json()
    assert by_right.report.measures is not None
    assert by_wrong.report.measures is not None
    assert by_right.report.measures.pairs == 40
    assert (by_right.report.measures.f1 or 0) > (by_wrong.report.measures.f1 or 0)
    report = by_right.report.as_json()
    assert json.loads(json.dumps(report))["labels"]["held_out_same"] == sum(label.same for label in right)
    assert sum(sum(one.values()) for one in report["histogram"]) == report["blocked"]["pairs"]
