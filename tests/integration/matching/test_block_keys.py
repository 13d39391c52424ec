"""Blocking keys in the database: kept as hashes, exchanged with the record, asked for candidates."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from cdp_site.core import hashing
from profiles.matching import block_keys, keys
from profiles.models import BlockKey, SourceRecord
from tests.factories.people import make_record

pytestmark = pytest.mark.django_db


def some_records(number: int) -> list[SourceRecord]:
    return [make_record() for _ in range(number)]


def give(**keys_of: set[str]) -> dict[str, int]:
    """Records with these keys, by name."""
    ids = {name: make_record(external_id=name).pk for name in keys_of}
    block_keys.replace({ids[name]: own for name, own in keys_of.items()})
    return ids


def candidates(*keys_of_one: str, **more: Any) -> list[int]:
    found = block_keys.candidates({0: set(keys_of_one)}, **more)
    return [record_id for record_id, _weight in found[0]]


def test_a_key_is_kept_as_64_bits_that_say_nothing_without_the_secret(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = block_keys.hashed("phone:863451972")
    assert first == block_keys.hashed("phone:863451972") != block_keys.hashed("phone:863451973")
    assert -(2**63) <= first < 2**63
    monkeypatch.setattr(hashing, "current_key_id", lambda: "k2")
    monkeypatch.setattr(hashing, "_keys", lambda: {"k1": bytes(32), "k2": bytes([1]) * 32})
    block_keys._secret.cache_clear()
    assert block_keys.hashed("phone:863451972") != first
    block_keys._secret.cache_clear()


def test_what_was_kept_under_an_older_secret_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = {"k1": bytes(32)}
    monkeypatch.setattr(hashing, "_keys", lambda: secrets)
    block_keys._secret.cache_clear()
    ids = give(a={"phone:1"})
    secrets["k2"] = bytes([1]) * 32
    more = give(b={"phone:1"})
    assert set(candidates("phone:1")) == {ids["a"], more["b"]}
    block_keys._secret.cache_clear()


def test_keys_are_exchanged_and_untouched_ones_stay() -> None:
    ids = give(a={"phone:1", "email:a"}, b={"phone:1"})
    stays = BlockKey.objects.get(record=ids["a"], key=block_keys.hashed("phone:1")).pk
    block_keys.replace({ids["a"]: {"phone:1", "email:b"}})
    assert set(BlockKey.objects.filter(record=ids["a"]).values_list("key", flat=True)) == {
        block_keys.hashed("phone:1"),
        block_keys.hashed("email:b"),
    }
    assert BlockKey.objects.filter(pk=stays).exists()
    block_keys.replace({ids["a"]: set()})
    assert set(BlockKey.objects.values_list("record_id", flat=True)) == {ids["b"]}


def test_records_born_in_the_transaction_are_not_asked_for_older_keys() -> None:
    record = make_record().pk
    with CaptureQueriesContext(
        connection,
    ) as queries:
        block_keys.replace({record: {"phone:1"}}, born={record})
    assert len(queries) == 2


def test_who_shares_most_comes_first() -> None:
    ids = give(a={"phone:1", "email:a", "name:n"}, b={"name:n"}, c={"phone:1", "name:n"}, d={"phone:9"})
    assert candidates("phone:1", "email:a", "name:n") == [ids["a"], ids["c"], ids["b"]]
    assert candidates("phone:1", "email:a", "name:n", most=1) == [ids["a"]]
    assert candidates("phone:1", "email:a", "name:n", besides={0: {ids["a"]}}) == [ids["c"], ids["b"]]
    assert candidates("street:nowhere") == []
    assert candidates() == []


def test_a_rare_key_counts_more_than_a_common_one() -> None:
    ids = give(a={"name:rare"}, b={"name:common"}, c={"name:common"}, d={"name:common"})
    assert candidates("name:rare", "name:common")[0] == ids["a"]


def test_a_record_is_no_candidate_of_itself() -> None:
    ids = give(a={"phone:1"}, b={"phone:1"})
    assert block_keys.candidates({ids["a"]: {"phone:1"}})[ids["a"]] == [(ids["b"], pytest.approx(4.4, abs=0.1))]


def test_a_block_that_is_too_large_finds_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "MOST_IN_BLOCK", 2)
    ids = give(a={"name:n", "phone:1"}, b={"name:n"}, c={"phone:1"})
    assert set(candidates("name:n", "phone:1")) == {ids["a"], ids["b"], ids["c"]}
    give(d={"name:n"})
    assert set(candidates("name:n", "phone:1")) == {ids["a"], ids["c"]}


def test_one_query_for_a_whole_step() -> None:
    records = some_records(20)
    block_keys.replace({record.pk: {"name:n", f"phone:{record.pk}"} for record in records})
    with CaptureQueriesContext(connection) as queries:
        found = block_keys.candidates({record.pk: {"name:n", f"phone:{record.pk}"} for record in records})
    assert len(queries) == 1
    assert all(len(others) == block_keys.MOST_CANDIDATES for others in found.values())
