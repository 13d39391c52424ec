"""The letter of a refusal or an extension, as PDF in Thai or English. It names nobody: staff send it to the person."""

from django.conf import settings
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import override

from cdp_site.core.pdf import Paper
from cdp_site.core.templatetags.formats import day as day_text
from consent.models import DataSubjectRequest
from consent.requests import regimes

LANGUAGES = ("th", "en")
Status = DataSubjectRequest.Status


def has_letter(request: DataSubjectRequest) -> bool:
    """Whether there is something to tell by letter: a refusal with its ground, or a longer period with its reason."""
    return is_refused(request) or request.extended_at is not None


def is_refused(request: DataSubjectRequest) -> bool:
    withdrawn = {DataSubjectRequest.Refusal.WITHDRAWN, DataSubjectRequest.Refusal.COVERED}
    return request.status in {Status.REFUSED, Status.CLOSED} and bool({request.refusal_reason} - {"", *withdrawn})


def write(request: DataSubjectRequest, language: str) -> bytes:
    """The letter as a PDF file, in one of LANGUAGES."""
    with override(language):
        return _refusal(request) if is_refused(request) else _extension(request)


def _refusal(request: DataSubjectRequest) -> bytes:
    regime = regimes.regimes()[request.regime]
    paper = _paper(request, _("Your request could not be granted"))
    paper.text(
        _("You asked %(company)s on %(day)s for: %(kind)s. We have looked into it and cannot grant the request.")
        % {
            "company": settings.COMPANY_NAME,
            "day": day_text(request.received_at),
            "kind": request.get_kind_display(),
        }
    )
    paper.heading(_("Why"))
    paper.text(request.get_refusal_reason_display())
    if request.explanation:
        paper.text(request.explanation)
    paper.heading(_("What you can do"))
    paper.text(
        _("You may ask us to look at it again, and you may complain to: %(authority)s.")
        % {"authority": regimes.said(regime.authority)}
    )
    paper.small(_("The refusal is kept on record with its reason (%(section)s).") % {"section": regime.refusal})
    return paper.bytes()


def _extension(request: DataSubjectRequest) -> bytes:
    regime = regimes.regimes()[request.regime]
    paper = _paper(request, _("Your request takes longer"))
    paper.text(
        _("You asked %(company)s on %(day)s for: %(kind)s. We will answer until %(due)s at the latest.")
        % {
            "company": settings.COMPANY_NAME,
            "day": day_text(request.received_at),
            "kind": request.get_kind_display(),
            "due": day_text(request.due_at),
        }
    )
    paper.heading(_("Why"))
    paper.text(request.extension_reason)
    paper.heading(_("What you can do"))
    paper.text(_("You may complain to: %(authority)s.") % {"authority": regimes.said(regime.authority)})
    return paper.bytes()


def _paper(request: DataSubjectRequest, title: str) -> Paper:
    regime = regimes.regimes()[request.regime]
    paper = Paper(title, translation.get_language() or "en")
    section = regimes.right(request.regime, request.kind).section
    paper.facts(
        [
            (_("From"), settings.COMPANY_NAME),
            (_("Date"), day_text(timezone.now())),
            (_("Request"), request.reference),
            (_("Law"), f"{regime}, {section}"),
        ]
    )
    return paper
