"""Pulls from real servers: PostgreSQL behind TCP, and a MariaDB that the test starts."""

import shutil
import socket
import socketserver
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date, datetime
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import psycopg
import pymysql
import pytest
import sqlalchemy as sa
from django.db import connection
from django.utils import timezone
from psycopg import sql

from cdp_site.core.models import AuditEvent
from ingestion import equation, mappings
from ingestion.connections import databases, pulls
from ingestion.connections.databases import PullProblem
from ingestion.connections.wording_pulls import PullCode
from ingestion.files import importer, store
from ingestion.models import FileImport, InboundBatch, Pull, Source
from profiles import digest
from tests.database import url_with
from tests.waiting import wait_for

pytestmark = pytest.mark.django_db

BY = "system:test"
PASSWORD = "p%40ss:w/rd"  # "p@ss:w/rd", as it stands in a URL
ROWS = (
    "(1, '0812345601', 'สมชาย ใจดี', '2026-01-01 10:00:00')",
    "(2, '0812345602', 'สมหญิง รักเรียน', '2026-01-02 10:00:00')",
    "(3, '0812345603', 'มานี มีนา', '2026-01-02 10:00:00')",
)
TABLE = "CREATE TABLE members (id int primary key, phone varchar(20), full_name varchar(100), updated_at {moment})"
PEOPLE = {
    "version": 1,
    "rows": "people",
    "fields": [
        {"from": "id", "to": "record_id"},
        {"from": "full_name", "to": "trait", "name": "name"},
        {"from": "phone", "to": "trait", "name": "phone"},
    ],
}


class _Forward(socketserver.BaseRequestHandler):
    """From TCP to the test server's socket: a company's PostgreSQL is reached by host and port."""

    def handle(self) -> None:
        address = urlsplit(url_with("postgres"))
        folder = parse_qs(address.query)["host"][0]
        with socket.socket(socket.AF_UNIX) as inner:
            inner.connect(f"{unquote(folder)}/.s.PGSQL.5432")
            back = threading.Thread(target=_pump, args=(inner, self.request), daemon=True)
            back.start()
            _pump(self.request, inner)
            back.join(5)


def _pump(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


@pytest.fixture(scope="module")
def postgres(django_db_setup: None) -> Iterator[tuple[int, str]]:
    """The port of a server and a database of the company's on it."""
    name = f"{connection.settings_dict['NAME']}_company"
    with psycopg.connect(url_with("postgres"), autocommit=True) as maintenance:
        maintenance.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Forward) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1], name
        server.shutdown()
    with psycopg.connect(url_with("postgres"), autocommit=True) as maintenance:
        maintenance.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="module")
def mariadb() -> Iterator[int]:
    """A server of its own on a loopback port."""
    program, installer = shutil.which("mariadbd"), shutil.which("mariadb-install-db")
    if program is None or installer is None:
        pytest.skip("needs MariaDB's server: apt-get install mariadb-server")
    with tempfile.TemporaryDirectory() as folder, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        user = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
        common = ["--no-defaults", f"--datadir={folder}/data", f"--user={user}"]
        subprocess.run(
            [installer, *common, "--auth-root-authentication-method=normal", "--skip-test-db"],
            check=True, capture_output=True,
        )  # fmt: skip
        command = [program, *common, f"--port={port}", "--bind-address=127.0.0.1", f"--socket={folder}/s",
                   "--innodb-buffer-pool-size=16M", f"--log-error={folder}/log"]  # fmt: skip
        with subprocess.Popen(command) as server:
            try:
                wait_for(lambda: Path(f"{folder}/s").exists() or server.poll() is not None, seconds=60)
                with closing(pymysql.connect(unix_socket=f"{folder}/s", user="root", autocommit=True)) as root:
                    for statement in (
                        "CREATE DATABASE shop CHARACTER SET utf8mb4",
                        "CREATE USER reader@'127.0.0.1' IDENTIFIED BY 'p@ss:w/rd'",
                        "GRANT SELECT, INSERT, DELETE, CREATE, DROP ON shop.* TO reader@'127.0.0.1'",
                    ):
                        root.cursor().execute(statement)
                yield port
            finally:
                server.terminate()


class Company:
    """A database of the company's own, whichever it is."""

    def __init__(self, address: str, connect: Callable[[], object], moment: str) -> None:
        self.address, self._connect, self._moment = address, connect, moment
        self.run("DROP TABLE IF EXISTS members", TABLE.format(moment=moment), self.insert(*ROWS))

    def run(self, *statements: str) -> None:
        with closing(self._connect()) as link:
            for statement in statements:
                link.cursor().execute(statement)

    @staticmethod
    def insert(*rows: str) -> str:
        return " ".join(("INSERT INTO members VALUES", ", ".join(rows)))


@pytest.fixture(params=["postgresql", "mysql"])
def company(request, settings) -> Company:
    settings.PULL_HOSTS = ["127.0.0.1"]
    if request.param == "postgresql":
        port, name = request.getfixturevalue("postgres")
        return Company(
            f"postgresql://cdp:{PASSWORD}@127.0.0.1:{port}/{name}",
            lambda: psycopg.connect(url_with(name), autocommit=True),
            "timestamp",
        )
    port = request.getfixturevalue("mariadb")
    options = {"host": "127.0.0.1", "port": port, "user": "reader", "password": "p@ss:w/rd", "database": "shop"}
    return Company(
        f"mysql://reader:{PASSWORD}@127.0.0.1:{port}/shop",
        lambda: pymysql.connect(**options, autocommit=True),
        "datetime",
    )


@pytest.fixture(autouse=True)
def _own_store(tmp_path, settings, web_shop):

    settings.CDP_DATA = tmp_path
    mappings.save(name="members", definition=PEOPLE, source=web_shop, by=BY)


@pytest.fixture
def pull(company, web_shop) -> Pull:
    return made(company, web_shop)


def made(company: Company, source: Source, **changes: object) -> Pull:
    wanted = {
        "name": "Members", "address": company.address, "relation": "members", "cursor_column": "updated_at",
        "mapping_name": "members", "every_minutes": 15, "is_active": True, **changes,
    }  # fmt: skip
    return pulls.save(pull=None, source=source, by=BY, **wanted)


def ran(pull: Pull) -> Pull:
    Pull.objects.filter(pk=pull.pk).update(next_at=timezone.now())
    pulls.run(pull.pk)
    pull.refresh_from_db()
    for file_import in FileImport.objects.unfinished():
        importer.run(str(file_import.pk))
    return pull


def received() -> int:
    return sum(batch.n_items for batch in InboundBatch.objects.all())


def test_new_rows_come_once_and_become_profiles(pull, company):
    ran(pull)

    assert (pull.problem, received(), pull.cursor) == ("", 3, "moment 2026-01-02T10:00:00")
    assert pull.last_import.mapping.name == "members"
    assert pull.next_at > timezone.now()
    digest.drain()
    assert equation.of_import(pull.last_import).stored == 3

    ran(pull)
    assert received() == 3  # the two rows at the cursor's value are known

    company.run(
        company.insert("(4, '0812345604', 'ปิติ', '2026-01-02 10:00:00')", "(5, '081', 'ชูใจ', '2026-01-03 10:00:00')"),
        "INSERT INTO members VALUES (6, '0812345606', 'เพชร', NULL)",
    )
    ran(pull)
    assert (received(), pull.cursor) == (5, "moment 2026-01-03T10:00:00")
    assert FileImport.objects.count() == 2
    assert not any(path.suffix == ".partial" for path in store.folder().iterdir())


def test_a_query_with_a_number_as_cursor(company, web_shop):
    query = "SELECT id, full_name, phone FROM members WHERE phone LIKE '08%' AND full_name <> 'a:b'"

    pull = ran(made(company, web_shop, relation=query, cursor_column="id"))

    assert (pull.problem, received(), pull.cursor) == ("", 3, "number 3")


def test_a_large_table_comes_in_several_runs(pull, monkeypatch):
    monkeypatch.setattr(pulls, "MOST_ROWS", 2)

    ran(pull)
    assert (received(), pull.next_at <= timezone.now()) == (2, True)
    ran(pull)
    assert received() == 3


def test_too_many_rows_with_one_value_are_said_to_be(pull, company, monkeypatch):
    monkeypatch.setattr(pulls, "MOST_ROWS", 1)
    monkeypatch.setattr(pulls, "MOST_TIES", 1)
    company.run(company.insert(*(f"({n}, '08', 'x', '2026-01-02 10:00:00')" for n in range(10, 14))))

    for _ in range(6):
        ran(pull)

    assert pull.problem == PullCode.TIES


def test_a_killed_run_leaves_the_cursor_where_it_was(pull, monkeypatch):
    def dies(**_options):
        raise KeyboardInterrupt

    monkeypatch.setattr(pulls.imports, "start", dies)
    with pytest.raises(KeyboardInterrupt):
        ran(pull)
    monkeypatch.undo()

    pull.refresh_from_db()
    assert (pull.cursor, FileImport.objects.count()) == ("", 0)
    assert not Pull.objects.due().exists()  # its lease runs
    Pull.objects.update(lease_until=None)
    assert ran(pull).cursor
    assert received() == 3


class TestConnection:
    def test_it_names_the_columns(self, company):
        columns = pulls.test(pull=None, address=company.address, relation="members", cursor_column="updated_at", by=BY)

        assert columns == ["id", "phone", "full_name", "updated_at"]
        assert AuditEvent.objects.filter(action="pull.test").exists()

    @pytest.mark.parametrize(
        ("relation", "cursor", "code"),
        [
            ("nothing", "updated_at", PullCode.TABLE),
            ("members", "nothing", PullCode.COLUMN),
            ("members", "full_name", PullCode.CURSOR_TYPE),
            ("SELECT id FROM nothing", "id", PullCode.TABLE),
            ("SELECT id FROM FROM members", "id", PullCode.QUERY),
            ("SELECT 1 AS id; DROP TABLE members", "id", PullCode.RELATION),
            ("DELETE FROM members", "id", PullCode.RELATION),
            ("../etc/passwd", "id", PullCode.RELATION),
        ],
    )  # fmt: skip
    def test_what_is_wrong_with_the_question(self, company, relation, cursor, code):
        with pytest.raises(PullProblem) as caught:
            pulls.test(pull=None, address=company.address, relation=relation, cursor_column=cursor, by=BY)

        assert caught.value.code == code
        assert str(caught.value.message)

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            (lambda address: f"{address}_none", {PullCode.DATABASE, PullCode.RIGHTS}),
            (lambda address: address.replace("127.0.0.1", "localhost"), {PullCode.REFUSED_HOST}),
            (lambda address: address.replace("127.0.0.1", ""), {PullCode.ADDRESS, PullCode.REFUSED_HOST}),
            (lambda address: address + "?host=/tmp", {PullCode.ADDRESS}),
            (lambda address: address + "?read_default_file=/etc/passwd", {PullCode.ADDRESS}),
            (lambda _address: "sqlite:////etc/passwd", {PullCode.ADDRESS}),
            (lambda _address: "no address", {PullCode.ADDRESS}),
        ],
    )  # fmt: skip
    def test_what_is_wrong_with_the_address(self, company, change, code):
        with pytest.raises(PullProblem) as caught:
            pulls.test(pull=None, address=change(company.address), relation="members", cursor_column="id", by=BY)

        assert caught.value.code in code
        assert "p@ss" not in str(caught.value)

    def test_a_host_that_does_not_answer(self, company, settings):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            address = f"{company.address.partition('@127')[0]}@127.0.0.1:{probe.getsockname()[1]}/shop"
        with pytest.raises(PullProblem) as caught:
            pulls.test(pull=None, address=address, relation="members", cursor_column="id", by=BY)
        assert caught.value.code == PullCode.HOST

        settings.PULL_HOSTS = ["nowhere.invalid"]
        with pytest.raises(PullProblem) as caught:
            pulls.test(
                pull=None, address="mysql://a:b@nowhere.invalid/x", relation="members", cursor_column="id", by=BY
            )
        assert caught.value.code == PullCode.HOST


def test_a_wrong_password_is_said_to_be_one(mariadb, settings):
    settings.PULL_HOSTS = ["127.0.0.1"]

    with pytest.raises(PullProblem) as caught:
        pulls.test(pull=None, address=f"mysql://reader:wrong@127.0.0.1:{mariadb}/shop", relation="members",
                   cursor_column="id", by=BY)  # fmt: skip

    assert caught.value.code == PullCode.LOGIN


def test_nothing_can_be_written(company):
    """Also by a function in a SELECT: the transaction itself only reads."""
    asked = databases.Asked(company.address, "members", "id")
    with databases._connected(asked.address) as link, pytest.raises(sa.exc.DBAPIError, match=r"(?i)read.only"):
        link.exec_driver_sql("DELETE FROM members")


def test_a_question_that_takes_too_long_ends(company, settings):
    settings.PULL_STATEMENT_SECONDS = 1
    is_postgresql = company.address.startswith("postgresql")
    query = "SELECT id, pg_sleep(20) FROM members" if is_postgresql else "SELECT id, sleep(20) FROM members"

    with pytest.raises(PullProblem) as caught:
        pulls.test(pull=None, address=company.address, relation=query, cursor_column="id", by=BY)

    assert caught.value.code == PullCode.TIMEOUT


def test_a_mapping_that_does_not_fit_starts_nothing(company, web_shop):
    pull = ran(made(company, web_shop, relation="SELECT id FROM members", cursor_column="id"))

    assert (pull.problem, pull.cursor, FileImport.objects.count()) == (PullCode.MAPPING, "", 0)
    assert list(store.folder().iterdir()) == []


def test_the_password_is_nowhere_in_clear(pull, company, caplog):
    ran(pull)
    held = Pull.objects.values().get(pk=pull.pk)

    assert "p@ss" not in str(held)
    assert PASSWORD not in str({name: bytes(value) if isinstance(value, memoryview) else value
                                for name, value in held.items()})  # fmt: skip
    assert "reader" not in held["shown_address"]
    assert PASSWORD not in caplog.text


def test_another_place_begins_anew_and_the_same_changes_nothing(pull, company, web_shop):
    ran(pull)
    same = {"source": web_shop, "name": "Members", "relation": "members", "cursor_column": "updated_at",
            "mapping_name": "members", "every_minutes": 15, "is_active": True, "by": BY}  # fmt: skip

    before = AuditEvent.objects.count()
    assert pulls.save(pull=pull, address="", **same).cursor == pull.cursor
    assert AuditEvent.objects.count() == before
    assert pulls.save(pull=pull, address="", **same | {"cursor_column": "id"}).cursor == ""


def test_only_what_is_due_is_asked(pull, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks() as callbacks:
        assert pulls.run_due() == 1
        Pull.objects.update(is_active=False)
        assert pulls.run_due() == 0
    assert len(callbacks) == 1


def test_a_cursor_is_kept_and_read_again():
    for value in (
        12,
        datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=timezone.get_current_timezone()),
        date(2026, 1, 1),
    ):
        assert databases.value_of(databases.kept(value)) == value
    assert databases.value_of("") is None
