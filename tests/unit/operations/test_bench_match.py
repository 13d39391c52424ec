"""`bench match`: what counts as found, what the other programs are given, what is missing is said."""

from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from cdp_site.operations.bench import matching, matching_accuracy, matching_contenders, matching_sets
from cdp_site.operations.bench.matching_accuracy import Accuracy
from cdp_site.operations.bench.matching_contenders import DEDUPE, PRODUCT
from cdp_site.operations.bench.matching_sets import People
from profiles.matching.comparable import comparable

NOBODY = comparable({})


def people(*persons: str, uncounted: frozenset[tuple[int, int]] = frozenset()) -> People:
    return People("made up", dict.fromkeys(range(len(persons)), NOBODY), dict(enumerate(persons)), uncounted)


def figure(contender: str, f1: float, *, name_only: int | None = 0) -> Accuracy:
    return Accuracy(
        set="thai", source="made up", contender=contender, runs=1, labels=50, precision=f1, recall=f1, f1=f1,
        spread=(f1, f1), cpu_seconds=1.0, memory_mb=1, name_only=name_only,
    )  # fmt: skip


def test_pairs_of_final_groups_are_judged() -> None:
    found = matching_contenders.judged(people("a", "a", "a", "b"), [(2, 0), (1, 3)])
    assert (found["precision"], found["recall"]) == (1 / 2, 1 / 3)
    assert found["f1"] == pytest.approx(2 / 5)


def test_what_cannot_be_told_counts_neither_way() -> None:
    known = people("a", "a", "a", uncounted=frozenset({(0, 2), (1, 2)}))
    assert matching_contenders.judged(known, [(0, 1, 2)]) == {"precision": 1.0, "recall": 1.0, "f1": 1.0}
    assert matching_contenders.judged(known, [(0, 1)])["f1"] == 1.0


def test_only_the_product_has_a_goal_and_never_by_a_name_alone() -> None:
    assert figure(PRODUCT, 0.96).ok is True
    assert figure(PRODUCT, 0.94).ok is False
    assert figure(PRODUCT, 0.99, name_only=1).ok is False
    assert figure(DEDUPE, 0.5).ok is None
    assert matching_accuracy.table([figure(PRODUCT, 0.96), figure(DEDUPE, 0.5)], seeds=1).row_count == 2


def test_the_other_programs_get_the_same_values_as_texts() -> None:
    record = comparable({"first_name": "Anan", "last_name": "Srisuk", "phone": ["+66812345678", "+66812345679"]})
    told = matching_sets.texts(record)
    assert (told["given"], told["family"], told["phone"]) == ("anan", "srisuk", "+66812345678")
    assert told["email"] is None


def test_thai_files_are_read_as_the_product_reads_them(tmp_path: Path) -> None:
    root = tmp_path / "thai"
    root.mkdir()
    (root / "pos.csv").write_bytes("รหัส,ชื่อ-สกุล,โทรศัพท์,วันเกิด\nP1,นายสมชาย ใจดี,081-987-6512,27-09-2521\n".encode("cp874"))
    (root / "crm.csv").write_text("CustomerID,FirstName,LastName,Mobile\nC1,Somchai,Jaidee,0819876512\n", "utf-8-sig")
    (root / "callcentre.csv").write_text("ticket,caller,caller_last,phone\nT1,สมชาย,ใจดี,\n", "utf-8")
    (root / "web.jsonl").write_text('{"userId": "u1", "traits": {"firstName": "Somchai"}}\n', "utf-8")
    (root / "line.jsonl").write_text('{"userId": "U1", "displayName": "ชาย", "phone": "0819876512"}\n', "utf-8")
    rows = ["pos,P1,0", "crm,C1,0", "callcentre,T1,0", "web,u1,0", "line,U1,0"]
    (root / "truth.csv").write_text("\n".join(["source,external_id,person", *rows]), "utf-8")
    read = matching_sets.thai(tmp_path)
    assert read.records[0]["birth_dates"] == ("1978-09-27",)
    assert read.records[0]["phones"] == read.records[1]["phones"] == read.records[4]["phones"] == ("+66819876512",)
    assert read.true_pairs() == {(0, 1), (0, 4), (1, 4)}
    assert len(read.uncounted) == 7


def test_senzings_features_become_traits_and_ids(tmp_path: Path) -> None:
    root = tmp_path / "senzing"
    root.mkdir()
    (root / "customers.jsonl").write_text(
        '{"RECORD_ID": "1", "FEATURES": [{"NAME_FIRST": "Bob", "NAME_LAST": "Smith"}, {"PHONE_NUMBER": "702-919-1300"},'
        ' {"PHONE_NUMBER": "702-919-1301"}, {"DATE_OF_BIRTH": "3/31/70"}, {"PASSPORT_NUMBER": "P-1", '
        '"PASSPORT_COUNTRY": "USA"}, {"ADDR_LINE1": "12 Main St", "ADDR_CITY": "Reno"}]}\n',
        "utf-8",
    )
    (root / "actual_truthset_key.csv").write_text(
        "CLUSTER_ID,DATA_SOURCE,RECORD_ID\n7,CUSTOMERS,1\n8,WATCHLIST,1\n", "utf-8"
    )
    read = matching_sets.senzing(tmp_path)
    assert read.persons == {0: "7"}
    assert read.records[0]["phones"] == ("+17029191300", "+17029191301")
    assert read.records[0]["birth_dates"] == ("1970-03-31",)
    assert read.records[0]["ids"] == (("passport", "US", "P1"),)
    assert read.records[0]["addresses"]


def test_what_is_not_installed_is_said_with_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matching_accuracy.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(CommandError, match="uv sync --group bench"):
        call_command("bench", "match", "--part", "accuracy")


def test_a_folder_that_is_missing_is_said_with_what_belongs_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matching_accuracy.importlib.util, "find_spec", lambda name: object())
    monkeypatch.setattr(matching_sets, "SETS", {"thai": matching_sets.thai})
    with pytest.raises(CommandError, match=r"--data .*truth\.csv"):
        matching_accuracy.run(None, seeds=1)


def test_its_parts_can_be_run_one_by_one() -> None:
    assert "accuracy" in matching.PARTS
