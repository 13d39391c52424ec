"""News of a request, sent to the address by which the person was identified; none for who was identified otherwise."""

from typing import Final

from django.utils import timezone, translation
from django.utils.translation import gettext as _

from cdp_site.core.templatetags.formats import day as day_text
from consent.models import DataSubjectRequest, IdentityCode, OutgoingMessage
from consent.requests.messages import Content, post
from profiles.models import Identifier

Status = DataSubjectRequest.Status
LANGUAGES: Final = ("th", "en")  # both: which of the two somebody reads is not known


def tell(request: DataSubjectRequest) -> OutgoingMessage | None:
    """Tell the person where their request stands, in the caller's transaction. None when there is no address that has
    proved to be theirs."""
    proof = request.codes.filter(used_at__isnull=False, identifier__isnull=False).order_by("-used_at").first()
    to = _address(proof) if proof else None
    if proof is None or to is None:
        return None
    texts = []
    for language in LANGUAGES:
        with translation.override(language):
            texts.append((_("Your request %(reference)s") % {"reference": request.reference}, _text(request)))
    return post(
        request=request,
        channel=proof.channel,
        what=OutgoingMessage.What.NEWS,
        identifier=proof.identifier,
        content=Content(to, " / ".join(title for title, _said in texts), "\n".join(said for _title, said in texts)),
    )


def _address(proof: IdentityCode) -> str | None:
    """Where the code went, as long as it is the customer's address."""
    if proof.identifier is None:  # it went with the person
        return None
    held = Identifier.objects.filter(pk=proof.identifier, is_current=True, valid_to__isnull=True)
    found: str | None = held.values_list("value", flat=True).first()
    return found


def _text(request: DataSubjectRequest) -> str:
    said = {"reference": request.reference, "kind": request.get_kind_display(), "due": day_text(request.due_at)}
    if request.status == Status.REFUSED:
        return _("We cannot grant your request %(reference)s (%(kind)s). A letter with the reason follows.") % said
    if request.status == Status.CANCELLED:
        return _("Your request %(reference)s (%(kind)s) was taken back. Nothing was done.") % said
    if request.status == Status.COMPLETED:
        return _("Your request %(reference)s (%(kind)s) has been carried out.") % said
    if request.status in {Status.APPROVED, Status.COOLING}:
        day = day_text(request.runs_at or timezone.now())
        return _(
            "Your request %(reference)s (%(kind)s) was approved and is carried out from %(day)s on. Afterwards we have"
            " no address of yours to write to."
        ) % {**said, "day": day}
    return (
        _(
            "Your request %(reference)s (%(kind)s) takes longer: we answer until %(due)s. A letter with the reason"
            " follows."
        )
        % said
    )
