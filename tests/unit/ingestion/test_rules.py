"""Correction rules: each verb by example; that no rule can break a message, by property."""

import copy
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.corrections import rules
from ingestion.corrections.rules import InvalidRule, RuleCode

BANGKOK = ZoneInfo("Asia/Bangkok")


def rule(*steps: dict[str, Any]) -> rules.Rule:
    return rules.parse({"version": 1, "steps": list(steps)})


def after(message: dict[str, Any], *steps: dict[str, Any]) -> dict[str, Any]:
    changed = copy.deepcopy(message)
    told = rules.apply(rule(*steps), changed, zone=BANGKOK)
    assert told == (msgspec.json.encode(changed) != msgspec.json.encode(message))
    return changed


def properties(before: dict[str, Any], *steps: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = after({"properties": before}, *steps)["properties"]
    return found


RENAME = {"do": "rename", "field": "properties.cost", "to": "properties.price"}


class TestRename:
    def test_moves_a_value(self) -> None:
        assert properties({"cost": 5}, RENAME) == {"price": 5}

    def test_overwrites_nothing(self) -> None:
        assert properties({"cost": 5, "price": 7}, RENAME) == {"cost": 5, "price": 7}
        assert properties({"cost": 5, "price": None}, RENAME) == {"price": 5}

    def test_makes_objects_on_the_way_and_passes_others_by(self) -> None:
        step = {"do": "rename", "field": "user_id", "to": "context.traits.member"}
        assert after({"user_id": "u"}, step) == {"context": {"traits": {"member": "u"}}}
        assert after({"user_id": "u", "context": "web"}, step) == {"user_id": "u", "context": "web"}

    def test_renames_within_each_member_of_a_list(self) -> None:
        step = {"do": "rename", "field": "properties.products[].cost", "to": "properties.products[].price"}
        before = {"products": [{"cost": 1}, 7, {"sku": "a"}]}
        assert properties(before, step) == {"products": [{"price": 1}, 7, {"sku": "a"}]}


class TestCast:
    @pytest.mark.parametrize(
        ("to", "value", "becomes"),
        [
            ("number", "1,290.50", 1290.5),
            ("number", "฿ 1,290", 1290),
            ("number", "๑๒๐ บาท", 120),
            ("number", "dear", "dear"),
            ("number", "1e400", "1e400"),
            ("number", "NaN", "NaN"),
            ("number", "1_000", "1_000"),
            ("number", "", ""),
            ("number", True, True),
            ("text", 7, "7"),
            ("text", 7.0, "7"),
            ("text", False, "false"),
            ("boolean", "Yes", True),
            ("boolean", "ไม่", False),
            ("boolean", 1, True),
            ("boolean", "perhaps", "perhaps"),
            ("date", "22/11/2569", "2026-11-22"),
            ("date", "soon", "soon"),
            ("time", "22/11/2026 14:05", "2026-11-22T07:05:00Z"),
            ("time", "1763795100", "2025-11-22T07:05:00Z"),
            ("time", "later", "later"),
            ("text", {"a": 1}, {"a": 1}),
            ("text", None, None),
        ],
    )
    def test_what_fits_is_changed_and_what_does_not_stays(self, to: str, value: Any, becomes: Any) -> None:
        found = properties({"x": value}, {"do": "cast", "field": "properties.x", "to": to})["x"]
        assert found == becomes
        assert type(found) is type(becomes)

    def test_casts_members_of_a_list(self) -> None:
        step = {"do": "cast", "field": "properties.sizes[]", "to": "number"}
        assert properties({"sizes": ["40", "big", 41]}, step) == {"sizes": [40, "big", 41]}


def test_maps_values_by_how_they_are_written() -> None:
    step = {"do": "map", "field": "properties.color", "values": {"rad": "red", "1": True, "-": None}}
    for before, becomes in (("rad", "red"), (1, True), ("-", None), ("blue", "blue"), (["rad"], ["rad"])):
        assert properties({"color": before}, step) == {"color": becomes}


def test_fills_in_where_nothing_is() -> None:
    step = {"do": "default", "field": "properties.currency", "value": "THB"}
    assert after({}, step) == {"properties": {"currency": "THB"}}
    for empty in (None, ""):
        assert properties({"currency": empty}, step) == {"currency": "THB"}
    for there in ("USD", 0, False):
        assert properties({"currency": there}, step) == {"currency": there}


def test_drops_a_field_wherever_it_is() -> None:
    assert properties({"a": 1, "b": 2}, {"do": "drop", "field": "properties.a"}) == {"b": 2}
    assert after({"a": None}, {"do": "drop", "field": "a"}) == {}
    assert properties({"list": [{"a": 1}, 3]}, {"do": "drop", "field": "properties.list[].a"}) == {"list": [{}, 3]}


@pytest.mark.parametrize(
    ("step", "code"),
    [
        ({"do": "run", "field": "a"}, RuleCode.VERB),
        ({"do": "drop"}, RuleCode.FIELD),
        ({"do": "drop", "field": "a..b"}, RuleCode.FIELD),
        ({"do": "drop", "field": ".".join("abcdefghi")}, RuleCode.FIELD),
        ({"do": "drop", "field": "a\nb"}, RuleCode.FIELD),
        ({"do": "drop", "field": "a[]"}, RuleCode.LISTS),
        ({"do": "drop", "field": "messageId"}, RuleCode.KEPT_FIELD),
        ({"do": "drop", "field": "cdp"}, RuleCode.KEPT_FIELD),
        ({"do": "drop", "field": "cdp.record.external_id"}, RuleCode.KEPT_FIELD),
        ({"do": "rename", "field": "id", "to": "messageId"}, RuleCode.KEPT_FIELD),
        ({"do": "rename", "field": "a", "to": "a"}, RuleCode.TARGET),
        ({"do": "rename", "field": "a[].b", "to": "c[].b"}, RuleCode.LISTS),
        ({"do": "cast", "field": "a", "to": "colour"}, RuleCode.KIND),
        ({"do": "map", "field": "a", "values": {}}, RuleCode.VALUES),
        ({"do": "map", "field": "a", "values": {"b": ["c"]}}, RuleCode.VALUES),
        ({"do": "default", "field": "a", "value": None}, RuleCode.VALUE),
        ({"do": "default", "field": "a", "value": float("inf")}, RuleCode.VALUE),
        ("drop a", RuleCode.FORM),
    ],
)
def test_an_unusable_step_is_refused_with_its_reason(step: Any, code: RuleCode) -> None:
    with pytest.raises(InvalidRule) as refused:
        rule({"do": "drop", "field": "fine"}, step)
    assert (refused.value.code, refused.value.step) == (code, 1)


@pytest.mark.parametrize(
    ("definition", "code"),
    [
        (None, RuleCode.FORM),
        ({"version": 2, "steps": []}, RuleCode.FORM),
        ({"version": 1, "steps": []}, RuleCode.NO_STEPS),
        ({"version": 1, "steps": [{"do": "drop", "field": "a"}] * 21}, RuleCode.TOO_MANY),
    ],
)
def test_an_unusable_rule_is_refused(definition: Any, code: RuleCode) -> None:
    with pytest.raises(InvalidRule) as refused:
        rules.parse(definition)
    assert refused.value.code == code


_names = st.sampled_from(["a", "b", "properties", "products", "price", "userId", "สี"])
_paths = st.lists(st.tuples(_names, st.booleans()), min_size=1, max_size=4).map(
    lambda parts: ".".join(name + "[]" * each for name, each in parts)
)
_scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
_json = st.recursive(_scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_names, inner, max_size=4))
_messages = st.dictionaries(_names | st.just("messageId"), _json, max_size=5)
_steps = st.fixed_dictionaries(
    {
        "do": st.sampled_from(list(rules.Verb)),
        "field": _paths,
        "to": _paths | st.sampled_from(list(rules.Kind)),
        "values": st.dictionaries(st.text(max_size=5), _scalars, min_size=1, max_size=3),
        "value": _scalars,
    }
)


@given(st.lists(_steps, min_size=1, max_size=4), _messages)
def test_no_rule_breaks_a_message(steps: list[dict[str, Any]], message: dict[str, Any]) -> None:
    """Whatever a rule says and a message holds: it stays JSON, keeps its id, and an unchanged one is called so."""
    try:
        made = rule(*steps)
    except InvalidRule:
        return
    before = copy.deepcopy(message)
    changed = rules.apply(made, message, zone=BANGKOK)
    if not changed:
        assert msgspec.json.encode(message) == msgspec.json.encode(before)
    assert message.get("messageId") == before.get("messageId")
    msgspec.json.encode(message)


@given(_messages, _names)
def test_dropping_and_renaming_lose_nothing_else(message: dict[str, Any], name: str) -> None:
    kept = {key: value for key, value in message.items() if key != name}
    dropped = copy.deepcopy(message)
    rules.apply(rule({"do": "drop", "field": name}), dropped, zone=BANGKOK)
    assert dropped == kept
    renamed = copy.deepcopy(message)
    rules.apply(rule({"do": "rename", "field": name, "to": "new"}), renamed, zone=BANGKOK)
    assert renamed == (message if message.get(name) is None else kept | {"new": message[name]})
