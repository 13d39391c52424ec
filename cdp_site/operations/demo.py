"""The demo: the whole platform with a sample company, on this machine alone. The command `demo` puts it together."""

import json
import socket
import time
import urllib.error
import urllib.request
from base64 import b64encode
from typing import Any
from uuid import uuid4

from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from rich.console import Console
from rich.table import Table

from cdp_site import health
from cdp_site.core.access import Role
from cdp_site.core.models import User
from cdp_site.embedded_postgres import DatabaseProblem
from cdp_site.operations import demo_company
from cdp_site.operations.company import examples, loading
from cdp_site.operations.database_fitness import ensure_thai_trigrams
from cdp_site.operations.progress import Progress
from ingestion import keys
from ingestion.models import InboundBatch, Source

HOST = "127.0.0.1"
FIRST_PORT, PORTS_TRIED = 8000, 20
PEOPLE, SEED = 5_000, 1
START_PATIENCE = 90.0  # seconds until every process must have given a sign of life
CHECK_PATIENCE = 30.0  # seconds for the worker to digest one event
POLL = 0.2

DUTIES = {
    Role.AGENT: "finds a customer while the phone rings",
    Role.MARKETER: "builds segments and exports them under consent",
    Role.STEWARD: "imports, mends what cannot be used, merges",
    Role.COMPLIANCE: "answers the customers' requests about their data",
    Role.ANALYST: "measures",
    Role.ADMIN: "users, departments, sources",
}


def free_port(wanted: int | None) -> int:
    """The wanted port if nobody listens there, or without a wish the first free one from 8000 on.

    Raises:
        CommandError: it is taken, or all are.
    """
    candidates = [wanted] if wanted else range(FIRST_PORT, FIRST_PORT + PORTS_TRIED)
    for port in candidates:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return port
    taken = f"Port {wanted} is" if wanted else f"The ports {FIRST_PORT} to {FIRST_PORT + PORTS_TRIED - 1} are"
    raise CommandError(f"{taken} in use by another program. End it, or name another one: demo --port N")


def prepare(progress: Progress) -> None:
    """Bring the database to where the demo starts from: migrated, with the sample company and its logins.

    Each part is done once. The logins come last: while there are none, the company is loaded (again), which takes
    each message once for ever.
    """
    try:
        ensure_thai_trigrams(connection)
    except DatabaseProblem as problem:
        raise CommandError(str(problem)) from problem
    executor = MigrationExecutor(connection)
    if plan := executor.migration_plan(executor.loader.graph.leaf_nodes()):
        with progress.step("Preparing the database", total=len(plan)) as advance:
            call_command("migrate", verbosity=0, interactive=False)
            advance(len(plan))
    if not User.objects.filter(username=demo_company.LOGINS[0].role).exists():
        loading.load(people=PEOPLE, seed=SEED, progress=progress)
        demo_company.create_users()
        examples.add(marketer=User.objects.get(username=Role.MARKETER))
    connection.close()


def wait_until_well(url: str, *, since: float) -> None:
    """Return once `/healthz` answers that all is well, with signs of life younger than the monotonic time `since`.

    Raises:
        CommandError: after START_PATIENCE.
    """
    report: dict[str, Any] = {}
    while time.monotonic() - since < START_PATIENCE:
        report = _health(url)
        uptime = time.monotonic() - since
        signs = [report.get(name, {}).get("seconds_since_sign") for name in health.PATIENCE]
        if report.get("ok") and all(sign is not None and sign < uptime for sign in signs):
            return
        time.sleep(POLL)
    raise CommandError(f"Not everything has started within {START_PATIENCE:g} s. {url}/healthz says: {report}")


def _health(url: str) -> dict[str, Any]:
    try:
        with urllib.request.urlopen(f"{url}/healthz", timeout=5) as answer:
            return dict(json.load(answer))
    except urllib.error.HTTPError as refusal:
        return dict(json.load(refusal)) if refusal.code == 503 else {"status": refusal.code}
    except (OSError, ValueError):
        return {}


def check(url: str) -> None:
    """Send an event through the event API as any system would, and return once the worker has digested it.

    Raises:
        CommandError: it was refused, or not digested within CHECK_PATIENCE.
    """
    source, _ = Source.objects.get_or_create(slug="self-check", defaults={"name": "Self-check"})
    row, key = keys.make(source=source, by=demo_company.ACTOR)
    try:
        event = {"event": "Platform Checked", "anonymousId": "self-check", "messageId": f"check-{uuid4()}"}
        _post(f"{url}/v1/track", key, event)
        end = time.monotonic() + CHECK_PATIENCE
        while InboundBatch.objects.waiting().filter(source=source).exists():
            if time.monotonic() > end:
                raise CommandError(f"The worker has not processed the test event within {CHECK_PATIENCE:g} s.")
            time.sleep(POLL)
        last = InboundBatch.objects.filter(source=source).latest("id")
        if last.n_stored != 1:
            raise CommandError(f"The worker has not stored the test event; batch {last.pk} says where it went.")
    finally:
        keys.revoke(key=row, by=demo_company.ACTOR)
        connection.close()


def _post(url: str, key: str, event: dict[str, str]) -> None:
    headers = {"Content-Type": "application/json", "Authorization": f"Basic {b64encode(f'{key}:'.encode()).decode()}"}
    request = urllib.request.Request(url, data=json.dumps(event).encode(), headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=10):
            return
    except OSError as problem:
        raise CommandError(f"The event API did not take the test event: {problem}") from problem


def show_logins(console: Console, url: str) -> None:
    table = Table(title=f"{url}", title_style="bold", title_justify="left")
    for heading in ("Login", "Password", "Department", "What they do"):
        table.add_column(heading)
    for login in demo_company.LOGINS:
        department, _ = demo_company.DEPARTMENTS[login.department]
        table.add_row(login.role.value, demo_company.password(), department, DUTIES[login.role])
    console.print(table)
