"""Scripts: the one to be said on a customer's page with its why, and their pages for who writes them."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cdp_site.core.access import Permission, requires, scope_of
from cdp_site.core.errors import MendableError
from cdp_site.core.htmx import render_page_or_fragment
from profiles.views.fetch import visible_profile
from segments import audience, evidence
from segments.models import Script, Segment
from segments.scripts import authoring, choosing
from segments.scripts.forms import ScriptForm
from segments.views.fetch import changeable_segment, reader

LOOKED = "profile.script"  # what the access log calls it


@requires(Permission.VIEW_CUSTOMERS)
@require_GET
def show_best(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The panel of a customer's page: what to say to them, and why this."""
    profile = visible_profile(request, public_id, logged_as=LOOKED)
    context: dict[str, object] = {"profile": profile}
    try:
        context["chosen"] = choosing.best(profile, scope_of(reader(request)))
    except audience.TooSlowProblem as problem:
        context["problem"] = problem
    return render_page_or_fragment(
        request, "segments/script_of_profile.html", "segments/_script_of_profile.html", context
    )


@requires(Permission.VIEW_CUSTOMERS)
@require_GET
def show_why(request: HttpRequest, public_id: UUID, script_id: int) -> HttpResponse:
    """The evidence that puts the customer into the segment of a script now."""
    profile = visible_profile(request, public_id, logged_as=LOOKED)
    script = choosing.current(script_id)
    definition = audience.read(script.segment.definition) if script else None
    if script is None or definition is None:
        raise Http404
    lines = evidence.lines(profile, definition, at=timezone.now(), by=reader(request))
    context = {"profile": profile, "script": script, "lines": lines}
    return render_page_or_fragment(request, "segments/script_why_page.html", "segments/script_why.html", context)


@requires(Permission.VIEW_SEGMENTS)
@require_GET
def list_scripts(request: HttpRequest) -> HttpResponse:
    """All scripts in the order in which they are preferred, and the segments without one."""
    user = reader(request)
    changeable = Segment.objects.changeable_by(user).living()
    context = {
        "scripts": Script.objects.visible_to(user).ranked().select_related("changed_by"),
        "changeable": set(changeable.values_list("pk", flat=True)),
        "without": changeable.without_script().newest_first(),
    }
    return render_page_or_fragment(request, "segments/scripts.html", "segments/_scripts.html", context)


@requires(Permission.VIEW_SEGMENTS, Permission.WRITE_SCRIPTS)
@require_http_methods(["GET", "POST"])
def write(request: HttpRequest, segment_id: UUID) -> HttpResponse:
    """The script of a segment in both languages, with the versions that it had."""
    segment = changeable_segment(request, segment_id)
    script: Script | None = Script.objects.filter(segment=segment).first()
    form = ScriptForm(request.POST or None, initial=ScriptForm.initial_of(script))
    if form.is_valid():
        try:
            authoring.write(segment=segment, by=reader(request), **form.cleaned_data)
        except MendableError as problem:
            form.add_error(problem.field if problem.field in form.fields else None, str(problem.message))
        else:
            messages.success(request, _("Script saved."))
            return redirect("segments:scripts")
    context = {"segment": segment, "script": script, "form": form, "versions": _versions(script)}
    return render(request, "segments/script.html", context, status=422 if form.is_bound else 200)


@requires(Permission.VIEW_SEGMENTS, Permission.WRITE_SCRIPTS)
@require_POST
def move(request: HttpRequest, script_id: int) -> HttpResponse:
    """One place up or down."""
    script: Script | None = Script.objects.visible_to(reader(request)).filter(pk=script_id).first()
    if script is None:
        raise Http404
    authoring.move(script=script, up=request.POST.get("direction") == "up", by=reader(request))
    return redirect("segments:scripts")


def _versions(script: Script | None) -> list[object]:
    """The words that it had before, the latest first."""
    return [] if script is None else list(script.versions.exclude(version=script.version).order_by("-version"))
