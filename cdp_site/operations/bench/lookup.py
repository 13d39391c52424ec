"""`bench lookup`: how quickly an agent finds a customer, by what identifies one and by a mistyped name, and whether the
one who is meant is found. Against the look-up of a profile by its primary key in the same run."""

import statistics
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

from django.db import connection

from cdp_site.core.models import Role, User
from cdp_site.operations.bench import lookup_agents, lookup_load, lookup_questions
from cdp_site.operations.bench.lookup_questions import Question
from cdp_site.operations.bench.measure import Result, cost, milliseconds, percentile
from cdp_site.operations.bench.serving import web_server
from profiles import name_spellings, search
from profiles.models import Profile

EXACT_GOAL: Final = 20.0  # times the median look-up by primary key
FUZZY_GOAL: Final = 250.0
RECALL_GOAL: Final = 0.95
AMONG: Final = 20  # the first so many that are found
ANSWER_MS, PALETTE_MS, BUSY_MS = 150.0, 100.0, 300.0
OF_EACH_KIND: Final = 400
_WARM_UP: Final = 20
_BUSY_WARM_UP: Final = 600  # searches: a minute
_EXACT: Final = 100  # terms of each kind

_TERMS = """
(SELECT value FROM profiles_identifier WHERE kind = 'email' AND is_evidence ORDER BY md5(id::text) LIMIT %(n)s)
UNION ALL
(SELECT value FROM profiles_identifier WHERE kind = 'phone' AND is_evidence ORDER BY md5(id::text) LIMIT %(n)s)
UNION ALL
(SELECT value FROM profiles_identifier WHERE kind = 'member' ORDER BY md5(id::text) LIMIT %(n)s)
UNION ALL
(SELECT external_id FROM profiles_order WHERE profile_id IS NOT NULL ORDER BY md5(id::text) LIMIT %(n)s)
"""


def run(url: str) -> list[Result]:
    """Figures of the search itself, of its answer by the web server, and of that while the platform is busy."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM profiles_sourcerecord WHERE kind = 'identified'")
        records = cursor.fetchone()[0]
    people = int(str(connection.settings_dict["NAME"]).split("_")[2])  # as it was named by `database.use`
    asked = lookup_questions.questions(people, of_each_kind=OF_EACH_KIND)
    with connection.cursor() as cursor:
        cursor.execute(_TERMS, {"n": _EXACT})
        terms = [row[0] for row in cursor.fetchall()]
    # As the chores do it of an installation.
    name_spellings.count_bearers()
    name_spellings.learn()
    viewer, _created = User.objects.get_or_create(username="bench-lookup", defaults={"role": Role.STEWARD})
    results = _of_search(terms, asked, viewer, note=f"{records:,} records of customers")
    typed = [question.text for questions in asked.values() for question in questions] + terms
    sessions = lookup_agents.log_in()
    with web_server(url) as port, lookup_agents.Agents(sessions, port=port) as agents:
        results += [
            _within(
                "answer", agents.p95("profiles:suggest", typed), ANSWER_MS, "the box above every page, by 40 agents"
            ),
            _within("palette", agents.p95("palette", typed), PALETTE_MS, "Ctrl-K, by 40 agents"),
        ]
    with (
        lookup_load.copy(people=people) as busy,
        web_server(busy.url) as port,
        lookup_agents.Agents(sessions, port=port) as agents,
        busy.at_work(),
    ):
        # The copy is not in memory, and what is to keep it busy has only begun: a platform is at work for days.
        p95 = agents.p95("profiles:suggest", typed, warm_up=_BUSY_WARM_UP)
    beside = f"{lookup_agents.AGENTS} agents while an import, a match batch and a segment refresh run"
    return [*results, _within("busy", p95, BUSY_MS, beside)]


def _of_search(terms: Sequence[str], asked: dict[str, list[Question]], viewer: User, *, note: str) -> list[Result]:
    keys = list(Profile.objects.people().order_by("public_id").values_list("pk", flat=True)[: 4 * OF_EACH_KIND])
    look_ups: list[float] = []
    found: dict[str, list[bool]] = {kind: [] for kind in asked}

    def times(work: Sequence[Callable[[], Any]]) -> list[float]:
        taken = []
        for place, search_once in enumerate(work):
            look_ups.append(milliseconds(partial(Profile.objects.get, pk=keys[place % len(keys)])))
            taken.append(milliseconds(search_once))
        return taken[_WARM_UP:]

    def ask(question: Question) -> None:
        hits = search.find(question.text, by=viewer, limit=AMONG)
        found[question.kind].append(question.is_answered(hits))

    exact = times([partial(search.find, term, by=viewer) for term in terms])
    fuzzy = {kind: times([partial(ask, question) for question in questions]) for kind, questions in asked.items()}
    key = ("median look-up of a profile by its primary key", statistics.median(look_ups))
    kinds = f"phone, e-mail, member id, order number; {note}"
    lines = [_p95("exact", percentile(exact, 95), key, EXACT_GOAL, kinds)]
    for kind, taken in fuzzy.items():
        half = f"p50 {statistics.median(taken):.1f} ms; every name with a typing error, every fifth with two"
        lines.append(_p95(f"fuzzy.{kind}", percentile(taken, 95), key, FUZZY_GOAL, half))
        lines.append(_recall(kind, found[kind]))
    return lines


def _recall(kind: str, found: Sequence[bool]) -> Result:
    share = statistics.fmean(found)
    return Result(
        name=f"lookup.recall.{kind}",
        value=round(100 * share, 1),
        unit="%",
        limit=100,
        limit_name=f"who is meant or bears exactly that name, among the first {AMONG}",
        ratio=round(share, 3),
        goal=RECALL_GOAL,
        lower_is_better=False,
        rounds=1,
        note=f"{len(found)} questions",
    )


def _p95(name: str, value: float, limit: tuple[str, float], goal: float, note: str) -> Result:
    return cost(f"lookup.{name}.p95", value, "ms", limit, goal=goal, rounds=1, note=note)


def _within(name: str, value: float, most: float, note: str) -> Result:
    return _p95(name, value, (f"{most:.0f} ms", most), 1.0, note)
