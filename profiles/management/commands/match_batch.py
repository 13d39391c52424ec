"""`manage.py match_batch [--everything] [--shadow VERSION]`: match records now, or see what a model would change."""

import json
import sys
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser, no_translations

from cdp_site.core.errors import MendableError
from profiles.matching import runs
from profiles.matching.run_report import PHASES
from profiles.models import MatchRun

BY = "system:match_batch"
PAUSE_SECONDS = 0.5
BAR = 30


class Command(BaseCommand):
    help = (
        "Compare the records that changed with all others by the model of matching in use; join, part, and ask people. "
        "A run that was broken off, here or in the job cluster, is gone on with. Prints the report as one JSON object; "
        "the exit code is 0 when the run has finished, 1 when it failed, was cancelled or could not begin."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--everything", action="store_true", help="look at all records, not only at what changed")
        parser.add_argument(
            "--shadow", type=int, metavar="VERSION", help="change nothing: say what this version of the model would do"
        )

    @no_translations
    def handle(self, *args: Any, **options: Any) -> None:
        run = _going_on(options["shadow"]) or _begun(options["shadow"], everything=options["everything"])
        shown = _Bar(sys.stderr.isatty())
        while run.status == MatchRun.Status.RUNNING:
            runs.carry_on(run.pk, listen=shown.tell)
            run.refresh_from_db()
            if run.status == MatchRun.Status.RUNNING:  # a process of the job cluster is at it
                shown.tell(run)
                time.sleep(PAUSE_SECONDS)
        shown.close()
        self.stdout.write(json.dumps({"run": str(run.pk), "status": run.status, **run.report}))
        if run.status != MatchRun.Status.DONE:
            problem = runs.PROBLEMS.get(run.problem, run.problem)
            raise CommandError(f"The run ended as {run.status}. {problem}".strip())


class _Bar:
    """One line that is written over on a terminal; elsewhere a line for each phase."""

    def __init__(self, is_terminal: bool) -> None:
        self._is_terminal = is_terminal
        self._phase = ""
        self._width = 0

    def tell(self, run: MatchRun) -> None:
        text = f"{PHASES.get(run.phase, run.phase)}"
        if self._is_terminal:
            share = min(1.0, run.done / run.total) if run.total else 0.0
            line = f"{text:<22} {'█' * round(share * BAR):<{BAR}} {run.done:,} / {run.total:,}"
            sys.stderr.write(f"\r{line:<{self._width}}")
            self._width = len(line)
        elif run.phase != self._phase:
            sys.stderr.write(f"{text} …\n")
        self._phase = run.phase
        sys.stderr.flush()

    def close(self) -> None:
        if self._is_terminal and self._width:
            sys.stderr.write("\n")


def _going_on(version: int | None) -> MatchRun | None:
    """A run that was begun before, if it is of the wanted kind. Raises CommandError for one of the other."""
    found: MatchRun | None = MatchRun.objects.of_matching().unfinished().select_related("model").first()
    if found is None:
        return None
    wanted = MatchRun.Kind.BATCH if version is None else MatchRun.Kind.SHADOW
    tried = None if version is None or found.model is None else found.model.version
    if found.kind != wanted or tried != version:
        raise CommandError("Another run of matching is going on. Wait until it has ended, or cancel it on its page.")
    return found


def _begun(version: int | None, *, everything: bool) -> MatchRun:
    model = None
    if version is not None:
        model = runs.tryable().filter(version=version).first()
        if model is None:
            known = ", ".join(str(one) for one in runs.tryable().values_list("version", flat=True)) or "none"
            raise CommandError(f"There is no model {version} that could be tried. Known: {known}.")
    try:
        return runs.start(by=BY, trial_of=model, everything=everything, in_job=False)
    except MendableError as problem:
        hint = f" {problem.hint}" if problem.hint else ""
        raise CommandError(f"{problem.message}{hint}") from problem
