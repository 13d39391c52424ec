"""`bench faults`: nothing acknowledged is lost and nothing is stored twice, whatever is killed or full meanwhile.

Real processes, SIGKILL at random moments, a sender that retries as SDKs do. Afterwards: every acknowledged message is a
touchpoint, no message is two, and received = stored + duplicate + quarantined + suppressed + waiting, exactly; that
equation is looked at all the while, too.
"""

import ctypes
import errno
import os
import random
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from cdp_site.operations.bench.installation import VICTIMS, Installation
from cdp_site.operations.bench.sender import Sender
from ingestion.landing import message_uuid

LOOK_SECONDS = 0.5
LOOK_OUT_SECONDS = 0.02
SETTLE_PATIENCE = 600.0
FULL_DISK_BYTES = 700 * 1024 * 1024
SPARE_BYTES = 4 * 1024 * 1024  # left beside the ballast: less than PostgreSQL's next segment of its log


@dataclass
class Outcome:
    """What a trial found; `is_good` when nothing was lost, nothing doubled and every sum held."""

    name: str
    sent: int = 0
    acknowledged: int = 0
    stored: int = 0
    lost: int = 0
    doubled: int = 0
    imported: int = 0
    import_lost: int = 0
    looks: int = 0
    looks_out_of_balance: int = 0
    kills: dict[str, int] = field(default_factory=dict)
    answers: dict[int, int] = field(default_factory=dict)
    bad_answers: list[str] = field(default_factory=list)
    without_retry_after: int = 0
    was_full: bool = True  # of the trial of a full disk: landing has answered 503
    equation: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def is_good(self) -> bool:
        equation = self.equation
        parts = sum(equation.get(name, 0) for name in ("stored", "duplicate", "quarantined", "suppressed", "waiting"))
        return (
            self.acknowledged == self.sent
            and self.was_full
            and not (self.lost or self.doubled or self.import_lost or self.looks_out_of_balance)
            and not (self.bad_answers or self.without_retry_after)
            and equation.get("received") == parts
            and equation.get("waiting") == equation.get("quarantined") == equation.get("suppressed") == 0
            and equation.get("stored") == self.stored + self.imported
        )

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "is_good": self.is_good}


def kills(
    *, events: int = 100_000, rows: int = 20_000, times: int = 20, batch: int = 100, breath: float = 0.0, seed: int = 1
) -> Outcome:
    """Kill web, worker and PostgreSQL again and again while events come in and a file is imported.

    Args:
        rows: of the imported file; 0 imports none.
        times: kills in all, at random points between the first and the last acknowledged event.
        batch, breath: events a request, and seconds that a sender waits after one.
    """
    draw = random.Random(seed)
    begun = time.monotonic()
    with _folder() as folder, Installation(folder / "data", import_file=_csv(folder, rows)) as installation:
        installation.start()
        sender = Sender(port=installation.port, key=installation.key, events=events, batch=batch, breath_seconds=breath)
        outcome = Outcome("kills", sent=events)
        with _looking(installation, outcome):
            sending = threading.Thread(target=sender.run)
            sending.start()
            outcome.kills = _kill_while(sending, sender, installation, draw, times)
            sending.join()
            _settle(installation)
        _count(installation, sender, rows, outcome)
    outcome.seconds = round(time.monotonic() - begun, 1)
    return outcome


def _kill_while(
    sending: threading.Thread, sender: Sender, installation: Installation, draw: random.Random, times: int
) -> dict[str, int]:
    """A random one whenever so many events are acknowledged; each kind once before any comes twice."""
    done: Counter[str] = Counter()
    order = draw.sample(VICTIMS, len(VICTIMS))
    points = sorted((draw.randrange(sender.events) for _kill in range(times)), reverse=True)
    while points and sending.is_alive():
        sending.join(LOOK_OUT_SECONDS)
        if len(sender.acknowledged) >= points[-1]:
            points.pop()
            victim = order.pop() if order else draw.choice(VICTIMS)
            done[victim] += installation.kill(victim, draw)
    return dict(done)


_SUMS = """
SELECT coalesce(sum(n_items), 0)::bigint, coalesce(sum(n_stored), 0)::bigint, coalesce(sum(n_duplicate), 0)::bigint,
       coalesce(sum(n_quarantined), 0)::bigint, coalesce(sum(n_suppressed), 0)::bigint,
       coalesce(sum(n_waiting), 0)::bigint
  FROM ingestion_account
"""
_TERMS = ("received", "stored", "duplicate", "quarantined", "suppressed", "waiting")


@contextmanager
def _looking(installation: Installation, outcome: Outcome) -> Iterator[None]:
    """Looks at the sums of all sources again and again: they have to add up at every commit."""
    stop = threading.Event()

    def look() -> None:
        while not stop.wait(LOOK_SECONDS):
            rows = installation.ask_in_vain(_SUMS)
            if rows:
                outcome.looks += 1
                outcome.looks_out_of_balance += rows[0][0] != sum(rows[0][1:])

    looking = threading.Thread(target=look)
    looking.start()
    try:
        yield
    finally:
        stop.set()
        looking.join()


_UNDONE = """
SELECT (SELECT count(*) FROM ingestion_inboundbatch WHERE status = 'waiting'),
       (SELECT count(*) FROM ingestion_fileimport WHERE status IN ('ready', 'landing'))
"""


def _settle(installation: Installation) -> None:
    """Wait until nothing waits any more."""
    deadline = time.monotonic() + SETTLE_PATIENCE
    while installation.ask_in_vain(_UNDONE) != [(0, 0)]:
        if time.monotonic() > deadline:
            raise TimeoutError(f"still undone after {SETTLE_PATIENCE:.0f} s: {installation.ask_in_vain(_UNDONE)}")
        time.sleep(0.2)


_STORED = "SELECT count(*), count(DISTINCT id) FROM profiles_touchpoint WHERE source_id = %s"
_THERE = "SELECT count(*) FROM profiles_touchpoint WHERE id = ANY(%s)"
_RECORDS = "SELECT count(*), count(DISTINCT external_id) FROM profiles_sourcerecord WHERE source_id = %s"


def _count(installation: Installation, sender: Sender, rows: int, outcome: Outcome) -> None:
    ids = [message_uuid(installation.source_id, one) for one in sender.acknowledged]
    outcome.acknowledged = len(ids)
    outcome.lost = len(ids) - installation.ask(_THERE, [ids])[0][0]
    outcome.stored = installation.ask(_STORED, [installation.source_id])[0][0]
    outcome.doubled = max(0, outcome.stored - outcome.sent)
    if installation.file_source_id is not None:
        outcome.imported, distinct = installation.ask(_RECORDS, [installation.file_source_id])[0]
        outcome.doubled += outcome.imported - distinct
        outcome.import_lost = rows - distinct
    outcome.answers = dict(sorted(sender.answers.items()))
    outcome.bad_answers, outcome.without_retry_after = sender.bad[:10], sender.without_retry_after
    outcome.equation = dict(zip(_TERMS, installation.ask(_SUMS)[0], strict=True))


def _csv(folder: Path, rows: int) -> Path | None:
    if not rows:
        return None
    path = folder / "customers.csv"
    lines = (f"C{n:06d},Name{n},{800_000_000 + n:010d}" for n in range(rows))
    path.write_text("Customer ID,First Name,Phone\n" + "\n".join(lines) + "\n")
    return path


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="cdp-faults-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


# --- a full disk ----------------------------------------------------------------------------------------------------


class MountingForbidden(Exception):
    """This trial needs a small file system of its own, which this user may not mount."""


def full_disk(*, events: int = 50_000, batch: int = 100, spare: int = SPARE_BYTES) -> Outcome:
    """Fill the disk of everything, PostgreSQL included, while events come in; then make room again.

    Args:
        spare: bytes that are left at first.

    Raises MountingForbidden where no small file system can be mounted.
    """
    begun = time.monotonic()
    with _folder() as folder, _small_disk(folder / "disk") as disk, Installation(disk / "data") as installation:
        installation.start()
        sender = Sender(port=installation.port, key=installation.key, events=events, batch=batch, connections=2)
        outcome = Outcome("full_disk", sent=events)
        ballast = disk / "ballast"
        with _looking(installation, outcome):
            sending = threading.Thread(target=sender.run)
            _fill(ballast, disk, spare)
            sending.start()
            _wait_for_refusals(sender, sending)
            ballast.unlink()
            sending.join()
            _settle(installation)
        _count(installation, sender, 0, outcome)
        outcome.was_full = sender.answers[503] > 0
    outcome.seconds = round(time.monotonic() - begun, 1)
    return outcome


def _wait_for_refusals(sender: Sender, sending: threading.Thread, *, wanted: int = 5) -> None:
    """Until landing has answered 503 a few times."""
    while sending.is_alive() and sender.answers[503] < wanted:
        sending.join(0.1)


def _fill(ballast: Path, disk: Path, spare: int) -> None:
    """Leave at most that many bytes, whatever others write meanwhile."""
    step = FULL_DISK_BYTES
    with ballast.open("wb") as file:
        while step and (free := _free_bytes(disk) - spare) > 0:
            try:
                os.posix_fallocate(file.fileno(), ballast.stat().st_size, min(free, step))
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
                step //= 2  # somebody has written since we looked


def _free_bytes(disk: Path) -> int:
    state = os.statvfs(disk)
    return state.f_bavail * state.f_frsize


@contextmanager
def _small_disk(folder: Path) -> Iterator[Path]:
    """A tmpfs, where this user may mount one."""
    folder.mkdir()
    libc = ctypes.CDLL(None, use_errno=True)
    mount, umount = getattr(libc, "mount", None), getattr(libc, "umount2", None)
    options = f"size={FULL_DISK_BYTES},mode=0755".encode()
    if mount is None or umount is None or mount(b"tmpfs", os.fsencode(folder), b"tmpfs", 0, options) != 0:
        raise MountingForbidden(
            "The trial of a full disk needs a small tmpfs, which root may mount: sudo manage.py bench faults"
        )
    try:
        yield folder
    finally:
        umount(os.fsencode(folder), 2)  # MNT_DETACH: a process that still ends does not keep it
