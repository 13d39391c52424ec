"""Which rule keeps whom out, worked out over the answers of a sample."""

import random
from itertools import product

from segments import cuts
from segments.cuts import Answered, RowCounts
from segments.definition.nodes import All, Any, AttributeCondition, Comparison, Group, Node, Not, Operator


def asks(name: str) -> AttributeCondition:
    return AttributeCondition(name, Comparison(Operator.KNOWN))


A, B, C, D = map(asks, "abcd")
NESTED = All((A, Any((B, Not((C, D))))))


def by_hand(node: Node, answers: dict[Node, bool]) -> bool:
    match node:
        case All():
            return all(by_hand(member, answers) for member in node.of)
        case Any():
            return any(by_hand(member, answers) for member in node.of)
        case Not():
            return not any(by_hand(member, answers) for member in node.of)
    return answers[node]


def drawn(seed: int) -> list[str]:
    chance = random.Random(seed)
    return ["".join(chance.choice("01") for _condition in "abcd") for _person in range(200)]


def asked(people: list[str]) -> Answered:
    return Answered.of([(answers, 1) for answers in people], 4)


def counted(where: Group, people: list[str]) -> int:
    return sum(by_hand(where, dict(zip((A, B, C, D), map(int, answers), strict=True))) for answers in people)


def test_members_are_those_for_whom_the_definition_holds() -> None:
    everyone = ["".join(answers) for answers in product("01", repeat=4)]

    for people in (everyone, drawn(1), drawn(2)):
        assert cuts.members(NESTED, asked(people)) == counted(NESTED, people)


def test_each_row_is_counted_alone_and_left_out() -> None:
    people = drawn(3)
    alone = {
        "/where/of/0": A,
        "/where/of/1": Any((B, Not((C, D)))),
        "/where/of/1/of/0": B,
        "/where/of/1/of/1": Not((C, D)),
        "/where/of/1/of/1/of/0": C,
        "/where/of/1/of/1/of/1": D,
    }
    without = {
        "/where/of/0": All((Any((B, Not((C, D)))),)),
        "/where/of/1": All((A,)),
        "/where/of/1/of/0": All((A, Not((C, D)))),
        "/where/of/1/of/1": All((A, B)),
        "/where/of/1/of/1/of/0": All((A, Any((B, Not((D,)))))),
        "/where/of/1/of/1/of/1": All((A, Any((B, Not((C,)))))),
    }

    assert list(cuts.by_row(NESTED, asked(people))) == [
        RowCounts(place, counted(All((node,)), people), counted(without[place], people))
        for place, node in alone.items()
    ]


def test_without_its_only_rule_a_definition_holds_for_everybody_and_its_group_is_gone() -> None:
    people = Answered.of([("0", 3), ("1", 2)], 1)

    assert list(cuts.by_row(All((Not((A,)),)), people)) == [
        RowCounts("/where/of/0", alone=3, without=5),
        RowCounts("/where/of/0/of/0", alone=2, without=5),
    ]


def test_equal_conditions_are_rows_of_their_own() -> None:
    twice = All((asks("a"), asks("a")))
    people = Answered.of([("00", 3), ("11", 2)], 2)

    assert [row.without for row in cuts.by_row(twice, people)] == [2, 2]


def test_an_empty_sample_has_nobody() -> None:
    nobody = Answered.of([], 4)

    assert cuts.members(NESTED, nobody) == 0
    assert {row.without for row in cuts.by_row(NESTED, nobody)} == {0}


def test_a_hundred_conditions_of_thousands_are_worked_out_row_by_row() -> None:
    many = All(tuple(asks(f"n{number}") for number in range(100)))
    chance = random.Random(4)
    people = ["".join("0" if chance.random() < 0.01 else "1" for _condition in range(100)) for _person in range(8_192)]

    found = list(cuts.by_row(many, Answered.of([(answers, 1) for answers in people], 100)))

    assert len(found) == 100
    assert [row.alone for row in found] == [sum(answers[n] == "1" for answers in people) for n in range(100)]
