"""`manage.py import_file`: the whole way of a file, and what it says when something is wrong."""

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from ingestion.files import store
from ingestion.models import FileImport, Source
from profiles.models import Membership, Order, Touchpoint

pytestmark = pytest.mark.django_db

PEOPLE = (
    "CustomerID,FirstName,LastName,Mobile,Email,BirthDate,City,MarketingEmail,MarketingSMS\n"
    "C1,สมชาย,ใจดี,๐๘๙-๔๕๕-๑๒๐๓, Somchai@Example.co.th,1977-03-24,Phuket,N,Y\n"
    "C2,Suda,Rakdee,,suda@example.co.th,,Bangkok,,\n"
    "C3,broken row\n"
    "C4,Anan,Dee,0894551204,anan@example.co.th,1980-01-02,Bangkok,maybe,\n"
)


@pytest.fixture(autouse=True)
def _own_store(tmp_path, settings):
    settings.CDP_DATA = tmp_path / "data"


@pytest.fixture
def crm(db: None) -> Source:
    return Source.objects.create(slug="crm", name="CRM", kind=Source.Kind.CRM)


@pytest.fixture
def people(tmp_path: Path) -> Path:
    path = tmp_path / "people.csv"
    path.write_text(PEOPLE, encoding="utf-8-sig")
    return path


def run(*arguments: object) -> dict:
    out = StringIO()
    call_command("import_file", *map(str, arguments), stdout=out)
    answer: dict = json.loads(out.getvalue())
    return answer


def test_prints_the_equation_with_nothing_waiting(crm, people):
    answer = run("crm", people, "--mapping", "crm")

    terms = ("rows", "broken", "received", "stored", "duplicate", "quarantined", "suppressed", "waiting")
    assert [answer[term] for term in terms] == [4, 2, 2, 2, 0, 0, 0, 0]
    assert answer["status"] == "landed"
    assert [(row["line"], row["code"]) for row in answer["broken_rows"]] == [(4, "columns"), (5, "consent")]
    assert answer["broken_rows"][1]["column"] == "MarketingEmail"
    somchai = Membership.objects.get(record__external_id="C1").profile
    assert somchai.golden["email"] == "somchai@example.co.th"


def test_the_same_file_again_is_all_duplicates(crm, people):
    run("crm", people, "--mapping", "crm")

    answer = run("crm", people, "--mapping", "crm")

    assert (answer["received"], answer["duplicate"], answer["stored"]) == (2, 2, 0)


def test_order_lines_that_lie_scattered_become_orders(crm, tmp_path):
    mapping = tmp_path / "sales.json"
    mapping.write_text(
        json.dumps(
            {
                "version": 1,
                "rows": "orders",
                "fields": [
                    {"from": "who", "to": "record_id"},
                    {"from": "at", "to": "timestamp"},
                    {"from": "bill", "to": "order", "name": "id"},
                    {"from": "sku", "to": "line", "name": "sku"},
                    {"from": "qty", "to": "line", "name": "quantity"},
                    {"from": "paid", "to": "line", "name": "total"},
                ],
            }
        )
    )
    sales = tmp_path / "sales.csv"
    sales.write_text(
        "who,at,bill,sku,qty,paid\n"
        "H1,2026-10-01 10:00,B1,S1,1,10\n"
        "H2,2026-10-01 11:00,B2,S1,2,20\n"
        "H1,2026-10-01 10:00,B1,S2,2,50.50\n"
        "H1,2026-10-01 10:00,B1,S1,1,10\n"
    )

    answer = run("crm", sales, "--mapping", mapping)

    assert answer["stored"] == 4
    assert {order.external_id: str(order.total) for order in Order.objects.all()} == {"B1": "70.50", "B2": "20.00"}
    assert Order.objects.get(external_id="B1").lines.count() == 3
    assert Touchpoint.objects.count() == 2


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"x" * 2_000_000, "longer than 1 MB"),
        ("CustomerID\nMüller é\n".encode("cp1252"), "TIS-620"),
        (b"CustomerID\0\n1\n", "NUL"),
        (b"a,b\n1,2\n", "no such column"),
    ],
    ids=["empty", "one line", "wrong encoding", "NUL byte", "other columns"],
)
def test_a_file_that_cannot_be_taken_says_why_and_leaves_nothing(
    crm, tmp_path, content, words, django_capture_on_commit_callbacks
):
    path = tmp_path / "bad.csv"
    path.write_bytes(content)

    with django_capture_on_commit_callbacks(execute=True), pytest.raises(CommandError, match=words):
        run("crm", path, "--mapping", "crm")

    assert not FileImport.objects.exclude(status="cancelled").exists()
    assert list(store.folder().iterdir()) == []


def test_what_is_not_there_is_named(crm, people):
    for arguments, words in (
        (("nobody", people, "--mapping", "crm"), "crm"),
        (("crm", people, "--mapping", "unknown"), "neither saved"),
        (("crm", people.with_name("gone.csv"), "--mapping", "crm"), "No such file"),
    ):
        with pytest.raises(CommandError, match=words):
            run(*arguments)


def test_a_file_without_a_good_row_is_a_failure(crm, tmp_path):
    path = tmp_path / "bad.csv"
    path.write_text(PEOPLE.splitlines()[0] + "\nnothing\n")

    with pytest.raises(CommandError, match="mostly_broken"):
        run("crm", path, "--mapping", "crm")
