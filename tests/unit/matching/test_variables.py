"""dedupe takes the comparisons and the rules as its own."""

import pickle

import pytest

from profiles.matching.comparable import FIELDS, comparable
from profiles.matching.keys import RULES, keys_of
from profiles.matching.likeness import COMPARISONS
from profiles.matching.variables import RulePredicate, predicate, variables

SOMCHAI = comparable({"name": "สมชาย ใจดี", "birth_date": "1990-02-04"}, [("phone", "global", "+66812345678")])
SOMCHAI_LATIN = comparable({"name": "Somchai Jaidee"}, [("phone", "global", "+66812345678")])


def test_each_comparison_is_a_variable_of_one_number_that_may_be_missing() -> None:
    from dedupe.datamodel import DataModel

    found = variables()
    assert [variable.name for variable in found] == [comparison.name for comparison in COMPARISONS]
    assert {variable.field for variable in found} <= set(FIELDS)
    model = DataModel(found)
    (row,) = model.distances([(SOMCHAI, SOMCHAI_LATIN)])
    values = dict(zip((variable.name for variable in found), zip(row, row[len(found) :], strict=False), strict=True))
    assert values["phones"] == (1, 1)
    assert values["given"][0] > 0.9
    assert values["birth_dates"] == (0, 0)  # one does not know it: missing, not different
    assert len(row) == 2 * len(found)


def test_what_cannot_be_compared_is_missing_for_dedupe() -> None:
    ids = next(variable for variable in variables() if variable.name == "ids")
    assert str(ids.comparator((("passport", "th", "A1"),), (("citizen", "global", "A1"),))) == "nan"


def test_every_rule_is_offered_to_the_learner_once() -> None:
    offered = [found.__name__ for variable in variables() for found in variable.predicates]
    assert sorted(offered) == sorted(RULES)


@pytest.mark.parametrize("rule", sorted(RULES))
def test_a_predicate_is_known_by_its_rules_name(rule: str) -> None:
    assert predicate(rule) == RulePredicate(rule)
    assert predicate(rule).__name__ == rule
    assert predicate(rule)(SOMCHAI, target=True) == keys_of(rule, SOMCHAI)


def test_there_is_no_predicate_of_an_unknown_name() -> None:
    with pytest.raises(KeyError):
        predicate("no such rule")


def test_predicates_join_with_dedupes_own() -> None:
    variables()
    both = predicate("given") + predicate("phone")
    three = predicate("family") + both
    assert len(both(SOMCHAI)) == 1
    assert both(SOMCHAI).isdisjoint(three(SOMCHAI))
    assert [part.__name__ for part in predicate("born").__add__(both)] == ["born", "given", "phone"]


def test_variables_go_to_another_process() -> None:
    assert pickle.dumps(variables())
