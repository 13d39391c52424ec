"""Questions: useful from the first one on, none twice, and held-out ones that stand for all the others."""

import random

import pytest

from profiles.matching import candidates
from profiles.matching.comparable import comparable
from profiles.matching.learning import Label
from profiles.matching.questions import Questions, _shared_out
from tests.factories.made_people import make_people

PEOPLE = make_people(90, seed=3)


def test_the_first_questions_are_useful_without_any_answer() -> None:
    """Neither all plainly the same nor all plainly different: a steward's first minutes teach something."""
    questions = Questions(PEOPLE.records).training(12)
    same = sum(PEOPLE.same(question.a, question.b) for question in questions)
    assert 2 <= same <= 10


def test_nobody_is_asked_twice() -> None:
    questions = Questions(PEOPLE.records)
    first = questions.training(15)
    held_out = questions.held_out(20)
    second = questions.training(15)
    pairs = [(one.a, one.b) for one in (*first, *held_out, *second)]
    assert len(set(pairs)) == len(pairs) == 50
    assert all(a < b for a, b in pairs)


def test_a_colleague_is_asked_about_other_pairs() -> None:
    mine = {(one.a, one.b) for one in Questions(PEOPLE.records).training(20)}
    theirs = {(one.a, one.b) for one in Questions(PEOPLE.records, asked=mine).training(20)}
    assert not mine & theirs


def test_the_same_answers_lead_to_the_same_questions() -> None:
    state = random.getstate()
    runs = []
    for _run in range(2):
        questions = Questions(PEOPLE.records, seed=4)
        asked = []
        for _question in range(6):
            (one,) = questions.training(1)
            questions.answer(one.a, one.b, same=PEOPLE.same(one.a, one.b))
            asked.append(one)
        runs.append(asked)
    assert runs[0] == runs[1]
    assert random.getstate() == state  # nobody else's draws are foreseeable because of it


def test_answers_move_the_scores() -> None:
    labels = [Label(a, b, PEOPLE.same(a, b)) for a, b in sorted(candidates.meeting(PEOPLE.records))[::9]]
    before = {(one.a, one.b): one.score for one in Questions(PEOPLE.records).held_out(10_000)}
    after = {(one.a, one.b): one.score for one in Questions(PEOPLE.records, labels).held_out(10_000)}

    def error(scores: dict[tuple[int, int], float]) -> float:
        return sum(abs(scores[pair] - PEOPLE.same(*pair)) for pair in after) / len(after)

    assert not after.keys() & {label.pair for label in labels}
    assert error(after) < error(before)


def test_held_out_questions_stand_for_all_that_meet() -> None:
    questions = Questions(PEOPLE.records)
    met = len(candidates.meeting(PEOPLE.records))
    drawn = questions.held_out(60)
    assert len(drawn) == 60
    assert sum(one.weight for one in drawn) == pytest.approx(met, rel=0.001)


def test_what_an_identifier_has_settled_is_not_asked() -> None:
    sure = sorted(candidates.meeting(PEOPLE.records) & PEOPLE.true_pairs())[:20]
    questions = Questions(PEOPLE.records, sure=sure)
    assert not {(one.a, one.b) for one in questions.training(30)} & set(sure)


def test_when_no_pair_is_left_no_question_is() -> None:
    few = {number: comparable({"phone": "+66812345678", "first_name": name}) for number, name in enumerate("AB")}
    questions = Questions(few)
    assert len(questions) == 1
    assert len(questions.training(5)) == 1
    assert questions.training(5) == questions.held_out(5) == []


@pytest.mark.parametrize("number", [0, 1, 7, 50, 1_000])
def test_small_strata_give_what_they_have_and_the_others_the_rest(number: int) -> None:
    sizes = [3, 0, 40, 500]
    drawn = _shared_out(number, sizes, [20, 15, 15, 50])
    assert sum(drawn) == min(number, sum(sizes))
    assert all(few <= size for few, size in zip(drawn, sizes, strict=True))


def test_a_pool_is_rich_in_pairs_and_holds_what_it_must() -> None:
    crowd = make_people(700, seed=8)
    must = set(list(crowd.records)[-5:])
    pool = candidates.choose_pool(crowd.records.items(), size=400, must=must, seed=1)
    assert pool == candidates.choose_pool(crowd.records.items(), size=400, must=must, seed=1)
    assert len(pool.records) <= 410
    assert must <= set(pool.records)
    everything = len(candidates.meeting(crowd.records))
    within = len(candidates.meeting({number: crowd.records[number] for number in pool.records}))
    assert within > everything * (len(pool.records) / len(crowd.records)) ** 2
    assert 0 < pool.share < 1
