"""Models of matching: what there is to learn from, training, thresholds, into use, out of it, and back."""

from typing import Any

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cdp_site.core.access import Permission, requires
from cdp_site.core.errors import MendableError
from cdp_site.core.htmx import render_page_or_fragment
from profiles.matching import active, lifecycle, model_report, pools, rollback, training
from profiles.matching.active import Refused
from profiles.matching.model_forms import ActivationForm, ThresholdsForm
from profiles.matching.model_report import ModelPage
from profiles.models import MatchModel
from profiles.views.fetch import reader

LISTED = 100


@requires(Permission.MERGE_PROFILES)
@require_GET
def list_models(request: HttpRequest) -> HttpResponse:
    """All models and what the next one can learn from; asks again while one is being trained."""
    found = list(MatchModel.objects.newest_first()[:LISTED])
    in_use = active.look()
    context = {
        "pages": model_report.pages(found),
        "training": next((page for page in model_report.pages(found) if page.is_moving), None),
        "knowledge": model_report.knowledge(),
        "refused": in_use if isinstance(in_use, Refused) else None,
    }
    return render_page_or_fragment(request, "profiles/match_models.html", "profiles/_match_models.html", context)


@requires(Permission.MERGE_PROFILES)
@require_POST
def train(request: HttpRequest) -> HttpResponse:
    """Begin to train a new model."""
    try:
        model = training.start(by=reader(request))
    except MendableError as problem:
        _complain(request, problem)
        return redirect("profiles:match_models")
    return redirect("profiles:match_model", model.version)


@requires(Permission.MERGE_PROFILES)
@require_POST
def ask(request: HttpRequest) -> HttpResponse:
    """Have pairs looked for from which a model can learn."""
    pools.begin(by=reader(request))
    messages.success(request, _("Pairs to learn from are being looked for. They wait in the review in a moment."))
    return redirect("profiles:match_models")


@requires(Permission.MERGE_PROFILES)
@require_GET
def show(request: HttpRequest, version: int) -> HttpResponse:
    """A model; the page asks again while something is under way."""
    return _page(request, _model(version))


@requires(Permission.MERGE_PROFILES)
@require_POST
def choose_thresholds(request: HttpRequest, version: int) -> HttpResponse:
    model = _model(version)
    form = ThresholdsForm(request.POST)
    if not form.is_valid():
        return _page(request, model, thresholds=form)
    try:
        lifecycle.choose_thresholds(model=model, **form.shares(), by=reader(request))
    except MendableError as problem:
        form.add_error(problem.field, str(problem.message))
        return _page(request, model, thresholds=form)
    messages.success(request, _("The thresholds are chosen. Try the model with them before it is taken into use."))
    return redirect("profiles:match_model", version)


@requires(Permission.MERGE_PROFILES)
@require_POST
def activate(request: HttpRequest, version: int) -> HttpResponse:
    model = _model(version)
    form = ActivationForm(request.POST, asks=not lifecycle.has_labels(model.labels))
    if not form.is_valid():
        return _page(request, model, activation=form)
    try:
        lifecycle.activate(model=model, by=reader(request), reason=form.cleaned_data["reason"])
    except MendableError as problem:
        _complain(request, problem)
    else:
        messages.success(request, _("The model is in use. All records are being matched with it."))
    return redirect("profiles:match_model", version)


@requires(Permission.MERGE_PROFILES)
@require_POST
def retire(request: HttpRequest, version: int) -> HttpResponse:
    try:
        lifecycle.retire(model=_model(version), by=reader(request))
    except MendableError as problem:
        _complain(request, problem)
    else:
        messages.success(request, _("The model is no longer in use. What it joined stands."))
    return redirect("profiles:match_model", version)


@requires(Permission.MERGE_PROFILES)
@require_http_methods(["GET", "POST"])
def roll_back(request: HttpRequest, version: int) -> HttpResponse:
    """What taking the model's merges back would do; by POST it is begun."""
    model = _model(version)
    page = model_report.page(model)
    if not page.may_roll_back:
        return redirect("profiles:match_model", version)
    if request.method == "POST":
        try:
            run = rollback.start(model=model, by=reader(request))
        except MendableError as problem:
            _complain(request, problem)
            return redirect("profiles:match_model", version)
        messages.success(request, _("The model's merges are being taken back. You may leave this page."))
        return redirect("profiles:match_run", run.pk)
    context = {"page": page, "model": model, "foreseen": rollback.foresee(model)}
    return render_page_or_fragment(request, "profiles/match_rollback.html", "profiles/_match_rollback.html", context)


@requires(Permission.MERGE_PROFILES)
@require_POST
def go_on(request: HttpRequest, version: int) -> HttpResponse:
    """Begin a rollback again where it stopped."""
    run = rollback.last(_model(version))
    if run is None:
        return redirect("profiles:match_model", version)
    try:
        rollback.go_on(run_=run, by=reader(request))
    except MendableError as problem:
        _complain(request, problem)
    return redirect("profiles:match_run", run.pk)


def _model(version: int) -> MatchModel:
    return get_object_or_404(MatchModel, version=version)


def _page(
    request: HttpRequest,
    model: MatchModel,
    *,
    thresholds: ThresholdsForm | None = None,
    activation: ActivationForm | None = None,
) -> HttpResponse:
    """The model's page; with a form that came back, what is wrong with it."""
    page: ModelPage = model_report.page(model)
    context: dict[str, Any] = {
        "page": page,
        "model": model,
        "thresholds": thresholds or ThresholdsForm.of(model),
        "activation": activation or ActivationForm(asks=not page.readiness.has_labels),
    }
    forms: tuple[Form | None, ...] = (thresholds, activation)
    status = 422 if any(form is not None for form in forms) else 200
    return render_page_or_fragment(
        request, "profiles/match_model.html", "profiles/_match_model.html", context, status=status
    )


def _complain(request: HttpRequest, problem: MendableError) -> None:
    messages.error(request, " ".join(str(text) for text in (problem.message, problem.hint) if text))
