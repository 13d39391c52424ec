"""The pages about models: what they say in every state, and what their buttons do."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from cdp_site.core import jobs
from cdp_site.core.models import User
from ingestion.models import Source
from profiles.matching import labels, lifecycle, pools, rollback, runs, training
from profiles.models import MatchModel, MatchRun, Membership, SourceRecord
from tests.customers import Tell, identify
from tests.factories.doubles import answer_all, tell_of_doubles
from tests.factories.matching import FakeMatcher, activate, make_model

pytestmark = pytest.mark.django_db

Login = Callable[[User], Client]
ENOUGH = {"same": 25, "different": 30}
PROPOSALS = [
    {"precision": 0.95, "attach": 0.8, "review": 0.3, "pairs": 120, "hours": 0.27, "recall": 0.9},
    {"precision": 0.99, "attach": 0.9, "review": 0.3, "pairs": 400, "hours": 0.89, "recall": 0.7},
    {"precision": 0.995, "attach": None, "review": 0.3, "pairs": 600, "hours": 1.3, "recall": 0.0},
]


@pytest.fixture(autouse=True)
def enqueued(monkeypatch: pytest.MonkeyPatch, settings: Settings, tmp_path: Path) -> list[tuple[str, ...]]:
    """What would go to the job cluster; files go to a folder of the test."""
    settings.CDP_DATA = tmp_path
    found: list[tuple[str, ...]] = []
    monkeypatch.setattr(jobs, "enqueue", lambda *job: found.append(tuple(map(str, job))))
    return found


@pytest.fixture
def client(login: Login, steward: User) -> Client:
    """English, as the texts below."""
    browser = login(steward)
    browser.cookies["django_language"] = "en"
    return browser


def _model(**fields: object) -> MatchModel:
    given = {
        "labels": ENOUGH,
        "thresholds_at": timezone.now(),
        "proposals": PROPOSALS,
        "histogram": [{"same": place, "different": 1, "other": 10} for place in range(20)],
        "measures": {
            "held_out": [[0.95, True, 1.0], [0.2, False, 3.0]],
            "agreement": {"compared": 8, "agreed": 7, "kappa": 0.71},
        },
        "seconds": 12.4,
        "memory_mb": 380,
        "attach": 0.9,
        "review": 0.3,
    }
    return make_model(FakeMatcher(), **{**given, **fields})


def _url(name: str, model: MatchModel | None = None) -> str:
    return reverse(f"profiles:{name}", args=[] if model is None else [model.version])


def _text(client: Client, name: str, model: MatchModel | None = None, **headers: str) -> str:
    answer = client.get(_url(name, model), headers=headers)
    assert answer.status_code == 200
    return answer.content.decode()


def test_outsiders_find_nothing_and_nobody_else_may(
    login: Login, outsider: User, agent: User, marketer: User, analyst: User
) -> None:
    model = _model()
    for user in (outsider, agent, marketer, analyst):
        client = login(user)
        for name in ("match_models", "match_model", "match_rollback"):
            assert client.get(_url(name, None if name == "match_models" else model)).status_code == 404
        for name in ("match_train", "match_ask"):
            assert client.post(_url(name)).status_code == 404
        for name in ("match_thresholds", "match_activate", "match_retire", "match_rollback", "match_go_on"):
            assert client.post(_url(name, model)).status_code == 404
    assert MatchModel.objects.count() == 1
    assert Client().get(_url("match_models")).status_code == 302


def test_without_a_model_the_page_says_what_comes_first(client: Client) -> None:
    page = _text(client, "match_models")
    assert "No model yet" in page
    assert "Judge 50 pairs first" in page
    assert reverse("profiles:review") in page
    assert 'aria-current="page"' in page


def test_pairs_to_judge_are_looked_for_by_a_button(client: Client, enqueued: list[tuple[str, ...]]) -> None:
    answer = client.post(_url("match_ask"), follow=True)
    page = answer.content.decode()
    assert enqueued == [(pools.JOB,)]
    assert "are being looked for …" in page
    assert 'hx-trigger="every 2s"' in page
    pools.ask()
    page = _text(client, "match_models")
    assert "There are no customers yet that could be compared." in page
    assert "every 2s" not in page


def test_labels_are_counted_and_models_listed(client: Client) -> None:
    model = _model()
    page = _text(client, "match_models")
    assert f"Model {model.version}" in page
    assert "ready, not in use" in page
    assert "55" in page
    assert "100.0 %" in page


@pytest.mark.parametrize(
    ("same", "different", "said"),
    [(10, 5, "Judged pairs, of those asked for"), (10, 60, "Judged to be one person, of those asked for")],
)
def test_what_is_still_missing_is_counted(
    client: Client, monkeypatch: pytest.MonkeyPatch, same: int, different: int, said: str
) -> None:
    monkeypatch.setattr(labels, "counts", lambda: labels.Counts(same=same, different=different))
    page = _text(client, "match_models")
    assert said in page
    assert f"{same + different} pairs have been judged, 10 of them to be one person." in page
    monkeypatch.setattr(labels, "counts", lambda: labels.Counts(same=20, different=60))
    assert "of those asked for" not in _text(client, "match_models")


def test_training_is_a_job_and_its_progress_is_polled(client: Client, enqueued: list[tuple[str, ...]]) -> None:
    answer = client.post(_url("match_train"))
    model = MatchModel.objects.get()
    assert answer.headers["Location"] == _url("match_model", model)
    assert enqueued == [(training.JOB, str(model.pk))]
    MatchModel.objects.update(progress={"phase": "weights", "done": 1, "total": 4})
    page = _text(client, "match_model", model)
    assert "Learning what counts" in page
    assert 'hx-trigger="every 1s"' in page
    fragment = _text(client, "match_model", model, hx_request="true")
    assert "<html" not in fragment
    assert "Learning what counts" in fragment
    assert "Learning what counts" in _text(client, "match_models")
    again = client.post(_url("match_train"), follow=True).content.decode()
    assert "A model is being trained already." in again


@pytest.mark.parametrize(
    ("problem", "said"),
    [
        ({"code": "too_few_labels", "have": 7, "need": 20}, "7 pairs have been judged; at least 20 are needed."),
        ({"code": "one_sided_labels", "same": 30, "different": 1, "need": 5}, "30 pairs have been judged to be one"),
        ({"code": "no_blocked_pairs", "records": 240}, "Among 240 records no two have anything in common"),
        ({"code": "died", "attempts": 3}, "Training stopped again and again"),
    ],
)
def test_why_no_model_came_of_it_and_where_to_get_what_is_missing(
    client: Client, problem: dict[str, object], said: str
) -> None:
    model = _model(status="failed", problem=problem)
    page = _text(client, "match_model", model)
    assert said in page
    assert reverse("profiles:review") in page
    assert "Take it into use" not in page


def test_a_model_is_shown_with_its_measures_scores_and_proposals(client: Client) -> None:
    page = _text(client, "match_model", _model())
    for text in ("Right joins (precision)", "100.0 %", "88 %", "κ 0.71", "12 seconds", "380 MB"):
        assert text in page
    assert page.count('class="bar join"') == 2
    assert page.count('class="bar ask"') == 12
    assert "400" in page
    assert "No score is that sure yet" in page
    assert "chosen" in page
    assert "The same as a table" in page


def test_without_blind_pairs_nothing_is_said_of_quality(client: Client) -> None:
    page = _text(client, "match_model", _model(measures={}, histogram=[], proposals=[]))
    assert "No blind pair has been judged yet" in page
    assert "No two records of the pool have anything in common." in page


def test_thresholds_are_chosen_from_a_proposal_or_freely(client: Client) -> None:
    model = _model()
    client.post(_url("match_thresholds", model), {"attach": "80.0000", "review": "30.0000"})
    model.refresh_from_db()
    assert (model.attach_threshold, model.review_threshold) == (0.8, 0.3)
    client.post(_url("match_thresholds", model), {"attach": "97.25", "review": "41"})
    model.refresh_from_db()
    assert (model.attach_threshold, model.review_threshold) == (0.9725, 0.41)


@pytest.mark.parametrize(
    ("attach", "review", "complaint"),
    [
        ("", "30", "This field is required."),
        ("300", "30", "less than or equal to 100"),
        ("50", "30", "names alone never join"),
        ("70", "80", "People are asked below the score"),
        ("70", "0", "Say more than 0"),
    ],
)
def test_wrong_thresholds_come_back_with_what_is_wrong(
    client: Client, attach: str, review: str, complaint: str
) -> None:
    model = _model()
    answer = client.post(_url("match_thresholds", model), {"attach": attach, "review": review})
    assert answer.status_code == 422
    assert complaint in answer.content.decode()
    model.refresh_from_db()
    assert model.attach_threshold == 0.9


@pytest.fixture
def people(tell: Tell, web_shop: Source, pos: Source) -> list[SourceRecord]:
    for number, given in enumerate(("Somchai", "Prasit")):
        person = {"firstName": given, "lastName": "Jaidee", "birth_date": f"1980-01-0{number + 1}"}
        tell(web_shop, identify(f"u{number}", **person, email=f"u{number}@baansabai.co.th"))
        tell(pos, identify(f"p{number}", **person, phone=f"08612345{number}0"))
    return list(SourceRecord.objects.order_by("pk"))


def _owners(people: list[SourceRecord]) -> int:
    return Membership.objects.filter(record__in=people, valid_to=None).values("profile").distinct().count()


def test_from_trial_to_use_to_rollback_by_its_buttons(client: Client, people: list[SourceRecord]) -> None:
    model = _model()
    page = _text(client, "match_model", model)
    assert "Try it" in page
    assert _url("match_activate", model) not in page
    trial = client.post(reverse("profiles:match_start"), {"trial_of": model.pk}).headers["Location"]
    page = _text(client, "match_model", model)
    assert trial in page
    assert "The trial is under way" in page
    runs.run(str(MatchRun.objects.get().pk))
    page = _text(client, "match_model", model)
    assert "Would join" in page
    assert _url("match_activate", model) in page

    assert "All records are being matched" in client.post(_url("match_activate", model), follow=True).content.decode()
    runs.run(str(MatchRun.objects.get(kind="batch").pk))
    assert _owners(people) == 2
    page = _text(client, "match_model", model)
    assert "taken into use by steward" in page
    assert "Roll it back" in page

    page = _text(client, "match_rollback", model)
    assert "Links that go" in page
    assert "Customers after" in page
    address = client.post(_url("match_rollback", model)).headers["Location"]
    run = MatchRun.objects.get(kind="rollback")
    assert address == reverse("profiles:match_run", args=[run.pk])
    assert "Its merges are being taken back" in _text(client, "match_model", model)
    rollback.run(str(run.pk))
    assert _owners(people) == 4
    page = _text(client, "match_model", model)
    assert "Its merges have been taken back" in page
    assert "rolled back" in page
    assert client.get(_url("match_rollback", model)).status_code == 302


def test_few_labels_ask_for_a_reason(client: Client, people: list[SourceRecord], steward: User) -> None:
    model = _model(labels={"same": 3, "different": 4})
    runs.run(str(runs.start(by=steward, trial_of=model).pk))
    page = _text(client, "match_model", model)
    assert "7 pairs have been judged, 3 of them to be one person." in page
    assert "Name no customer" in page  # the model is about nobody: an erasure does not look there
    answer = client.post(_url("match_activate", model))
    assert answer.status_code == 422
    assert "This field is required." in answer.content.decode()
    client.post(_url("match_activate", model), {"reason": "A small shop."})
    assert MatchModel.objects.in_use().get() == model
    assert "A small shop." in _text(client, "match_model", model)


def test_without_a_trial_the_button_of_an_old_page_says_so(client: Client) -> None:
    model = _model()
    page = client.post(_url("match_activate", model), follow=True).content.decode()
    assert "There is no finished trial with these thresholds yet." in page


def test_out_of_use_by_a_button(client: Client) -> None:
    model = activate(FakeMatcher())
    assert "Take the model out of use?" in _text(client, "match_model", model)
    client.post(_url("match_retire", model))
    assert not MatchModel.objects.in_use().exists()
    page = client.post(_url("match_retire", model), follow=True).content.decode()
    assert "This model is not in use." in page


def test_a_rollback_that_stopped_goes_on_by_a_button(client: Client, steward: User) -> None:
    model = activate(FakeMatcher())
    run = rollback.start(model=model, by=steward)
    MatchRun.objects.update(status=MatchRun.Status.FAILED, problem="gave_up")
    assert "Taking its merges back has stopped" in _text(client, "match_model", model)
    client.post(_url("match_go_on", model))
    rollback.run(str(run.pk))
    run.refresh_from_db()
    assert run.status == MatchRun.Status.DONE
    assert client.post(_url("match_go_on", _model())).status_code == 302


def test_a_refused_model_is_told_with_how_to_mend_it(
    client: Client, steward: User, tell: Tell, web_shop: Source, pos: Source
) -> None:
    doubles = tell_of_doubles(tell, web_shop, pos, people=60)
    pools.ask()
    answer_all(steward, doubles)
    model = training.train_now(by="system:test")
    MatchModel.objects.update(status="active", activated_at=timezone.now())
    path = training.model_files.path_of(model)
    path.write_bytes(path.read_bytes()[:-1] + b" ")
    page = _text(client, "match_models")
    assert "Model 1 is in use and cannot be used" in page
    assert "train_matching" in page
    assert reverse("profiles:match_train") in page


def test_an_unknown_version_is_not_found(client: Client) -> None:
    assert client.get(reverse("profiles:match_model", args=[99])).status_code == 404
    assert client.get(reverse("profiles:match_model", args=[10**12])).status_code == 404


def test_pages_speak_thai(client: Client) -> None:
    client.cookies["django_language"] = "th"
    model = _model()
    assert "โมเดล" in _text(client, "match_models")
    page = _text(client, "match_model", model)
    assert "โมเดล" in page
    assert "Right joins" not in page
    assert "ย้อน" in _text(client, "match_rollback", activate(FakeMatcher()))
    assert lifecycle.LEAST_LABELS == 50
