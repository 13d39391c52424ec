"""Correction rules: written and tried on a quarantine group, kept in a list; replays, and their undoing."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cdp_site.core.access import Permission, requires
from cdp_site.core.errors import MendableError
from cdp_site.core.htmx import render_page_or_fragment
from cdp_site.core.ids import uuid7
from ingestion import quarantine, wording
from ingestion.corrections import replaying, rule_form, rulekeeping, trial, undoing
from ingestion.corrections.rule_form import RuleForm, StepRow
from ingestion.models import CorrectionRule
from ingestion.quarantine import Selection
from ingestion.views.fetch import reader, visible_replay, visible_rule, visible_selection


@requires(Permission.VIEW_SOURCES, Permission.MANAGE_SOURCES)
@require_http_methods(["GET", "POST"])
def new_rule(request: HttpRequest, source_id: int, reason: str) -> HttpResponse:
    """A rule for a group, from its first step to its replay."""
    selection = visible_selection(request, source_id, reason)
    key = request.POST.get("key", "")
    if request.method == "POST":
        form = rule_form.of_post(request.POST)
        return _rule_page(request, selection, _key(key), form)
    first = StepRow(0, field=selection.field or "")
    form = RuleForm(name="", event=selection.event or "", steps=(first,))
    return _rule_page(request, selection, uuid7(), form)


@requires(Permission.VIEW_SOURCES, Permission.MANAGE_SOURCES)
@require_http_methods(["GET", "POST"])
def edit_rule(request: HttpRequest, key: UUID) -> HttpResponse:
    """A saved rule: its newest version on the form, and the versions before it."""
    rule = visible_rule(request, key)
    selection = Selection(rule.source, rule.reason or request.GET.get("reason", ""))
    if request.method == "POST":
        form = rule_form.of_post(request.POST)
    else:
        form = rule_form.of_definition(rule.definition, name=rule.name, event=rule.event, is_always=not rule.reason)
    return _rule_page(request, selection, rule.key, form, rule=rule)


def _key(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        return uuid7()


def _rule_page(
    request: HttpRequest, selection: Selection, key: UUID, form: RuleForm, rule: CorrectionRule | None = None
) -> HttpResponse:
    """What the pressed button asks for, or the form as it stands."""
    asked, _colon, argument = request.POST.get("do", "").partition(":")
    context: dict[str, Any] = {}
    status = 200
    if asked == "add":
        form = form.with_step()
    elif asked == "remove":
        form = form.without_step(int(argument) if argument.isdecimal() else -1)
    elif asked in ("try", "save", "replay"):
        form = form.checked() if form.name or asked == "try" else _unnamed(form)
        status = 422 if form.problem else 200
        if not form.problem and asked == "try":
            context["trial"] = _try(request, selection, key, form)
        elif not form.problem:
            return _save(request, selection, key, form, replays=asked == "replay")
    context |= {
        "selection": selection,
        "source": selection.source,
        "reason_text": wording.reason(selection.reason) if selection.reason else "",
        "key": key,
        "form": form,
        "rule": rule,
        "versions": rulekeeping.versions(rule) if rule is not None else [],
        "n": selection.items.count(),
        "fields": rule_form.fields_in(quarantine.decoded_samples(selection)),
        "events": quarantine.events(selection),
    }
    return render_page_or_fragment(request, "ingestion/rule.html", "ingestion/_rule.html", context, status=status)


def _unnamed(form: RuleForm) -> RuleForm:
    checked = form.checked()
    return checked if checked.problem else replace(checked, problem=rule_form.NEVER_NAMED)


def _scope(selection: Selection, form: RuleForm) -> dict[str, str]:
    return {"reason": "" if form.is_always else selection.reason, "event": form.event}


def _try(request: HttpRequest, selection: Selection, key: UUID, form: RuleForm) -> trial.Trial:
    scope = _scope(selection, form)
    return trial.run(selection=selection, definition=form.definition(), **scope, key=key, by=reader(request))


def _save(request: HttpRequest, selection: Selection, key: UUID, form: RuleForm, *, replays: bool) -> HttpResponse:
    user = reader(request)
    scope = _scope(selection, form)
    rulekeeping.save(source=selection.source, key=key, name=form.name, **scope, definition=form.definition(), by=user)
    if not replays:
        messages.success(request, _("The rule is saved. It corrects what arrives from now on."))
        return redirect("ingestion:rules")
    return _start(request, selection)


@requires(Permission.VIEW_SOURCES, Permission.MANAGE_SOURCES)
@require_POST
def replay(request: HttpRequest, source_id: int, reason: str) -> HttpResponse:
    """Take a group's messages through the active rules."""
    return _start(request, visible_selection(request, source_id, reason))


def _start(request: HttpRequest, selection: Selection) -> HttpResponse:
    try:
        started = replaying.start(selection=selection, by=reader(request))
    except MendableError as problem:
        messages.error(request, str(problem.message))
    else:
        n = started.n_total
        text = ngettext("%(n)s message is being replayed.", "%(n)s messages are being replayed.", n)
        messages.success(request, text % {"n": f"{n:,}"})
    return redirect("ingestion:quarantine")


@requires(Permission.VIEW_SOURCES)
@require_GET
def list_replays(request: HttpRequest) -> HttpResponse:
    """The last replays, with their progress: a fragment that asks again while one is under way."""
    context = {"replays": undoing.recent(by=reader(request))}
    return render_page_or_fragment(request, "ingestion/replays.html", "ingestion/_replays.html", context)


@requires(Permission.VIEW_SOURCES, Permission.MANAGE_SOURCES)
@require_POST
def undo_replay(request: HttpRequest, replay_id: UUID) -> HttpResponse:
    try:
        undoing.start(replay=visible_replay(request, replay_id), by=reader(request))
    except MendableError as problem:
        messages.error(request, str(problem.message))
    else:
        messages.success(request, _("The replay is being undone. Its messages return to quarantine."))
    return redirect("ingestion:quarantine")


@requires(Permission.VIEW_SOURCES)
@require_GET
def list_rules(request: HttpRequest) -> HttpResponse:
    return render(request, "ingestion/rules.html", {"rules": rulekeeping.overview(by=reader(request))})


@requires(Permission.VIEW_SOURCES, Permission.MANAGE_SOURCES)
@require_POST
def switch_rule(request: HttpRequest, key: UUID) -> HttpResponse:
    """On and off; `on` says which."""
    on = request.POST.get("on") == "1"
    if rulekeeping.switch(rule=visible_rule(request, key), on=on, by=reader(request)):
        messages.success(request, _("The rule is applied again.") if on else _("The rule is no longer applied."))
    return redirect("ingestion:rules")


@requires(Permission.VIEW_SOURCES, Permission.MANAGE_SOURCES)
@require_POST
def move_rule(request: HttpRequest, key: UUID) -> HttpResponse:
    """Before or behind its neighbour; `up` says which."""
    rulekeeping.move(rule=visible_rule(request, key), up=request.POST.get("up") == "1", by=reader(request))
    return redirect(reverse("ingestion:rules") + f"#rule-{key}")
