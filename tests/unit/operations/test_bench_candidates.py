"""What `bench match --part candidates` counts."""

from pathlib import Path

import pytest
from django.core.management.base import CommandError

from cdp_site.operations.bench import matching_candidates

TRUTH = "source,external_id,person\npos,P1,1\nweb,u1,1\nline,L1,1\npos,P2,2\nweb,u2,2\ncrm,C2,2\n"
FILES = {
    "pos.csv": "รหัส,ชื่อ-สกุล,โทรศัพท์\nP1,นายสมชาย ใจดี,081-234-5679\nP2,วันเพ็ญ แก้วมณี,089-876-1234\n",
    "crm.csv": "CustomerID,FirstName,LastName,Mobile\nC2,Wanpen,Unlike,0898761234\n",
    "callcentre.csv": "ticket,caller,caller_last,phone\n",
    "web.jsonl": '{"userId": "u1", "traits": {"firstName": "Somchai", "lastName": "Jaidee"}}\n'
    '{"userId": "u2", "traits": {"firstName": "Xanthippe", "lastName": "Quirke"}}\n',
    "line.jsonl": '{"userId": "L1", "displayName": "somchai"}\n',
    "truth.csv": TRUTH,
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "thai").mkdir()
    for name, text in FILES.items():
        (tmp_path / "thai" / name).write_bytes(text.encode("cp874" if name == "pos.csv" else "utf-8"))
    return tmp_path


def test_pairs_across_scripts_are_counted_both_ways_by_what_can_tell_them(folder: Path) -> None:
    second, whole, everything = matching_candidates.run(folder)
    assert (second.asked, second.recall, second.ok) == (2, 1.0, True)  # P2 and C2, by their phone
    # P1–u1 and P2–C2 are found, P2–u2 have nothing in common
    assert (whole.asked, whole.recall, whole.ok) == (6, 0.6667, False)
    assert (everything.asked, everything.recall, everything.ok) == (8, 0.5, None)  # with P1–L1, a name in a chat
    assert everything.most <= 10


def test_figures_are_shown_with_their_goal(folder: Path) -> None:
    figures = matching_candidates.run(folder)
    assert matching_candidates.table(figures).row_count == len(figures)
    assert '"goal": 0.97' in figures[0].as_json()


def test_a_missing_set_is_named(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="thai"):
        matching_candidates.run(tmp_path)
