"""Notices: what people read when they are asked, version by version; and the terms of a purpose, which they read of."""

from collections.abc import Iterable, Mapping

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from cdp_site.core import audit
from cdp_site.core.errors import MendableError
from cdp_site.core.models import User
from consent.models import ConsentEntry, Notice, Purpose
from profiles import signals


def in_force(purpose: Purpose) -> Notice | None:
    """What is read to people now; None before anything was published. One query."""
    return Notice.objects.filter(purpose=purpose).first()


def all_in_force() -> Mapping[int, Notice]:
    """Purpose id → the notice in force. One query."""
    return {
        notice.purpose_id: notice
        for notice in Notice.objects.order_by("purpose_id", "-published_at", "-pk").distinct("purpose_id")
    }


def seen_by(purpose: Purpose, entries: Iterable[ConsentEntry]) -> list[Notice]:
    """The notices that these statements rest on, the newest first. One query, none when they name no version."""
    versions = {entry.notice_version for entry in entries if entry.notice_version}
    return list(Notice.objects.filter(purpose=purpose, version__in=versions)) if versions else []


@transaction.atomic
def publish(*, purpose: Purpose, version: str, text: str, text_th: str, by: User) -> Notice:
    """Put a new version in force. The earlier ones stay, for the consents that rest on them.

    Raises:
        MendableError: there is such a version already.
    """
    try:
        with transaction.atomic():
            notice = Notice.objects.create(
                purpose=purpose,
                version=version,
                text=text,
                text_th=text_th,
                published_at=timezone.now(),
                published_by=by,
            )
    except IntegrityError as error:
        raise MendableError(_("This version has been published already."), field="version") from error
    audit.record(action="notice.publish", target=notice, by=by, fields=["version", "text", "text_th"])
    return notice


@transaction.atomic
def set_terms(*, purpose: Purpose, months: int | None, young: str, is_sharing: bool, by: User) -> None:
    """Say how long consents to a purpose hold, whose count, and whether it is a sale or sharing of data. It holds at
    once for the consents that there are."""
    wanted = {"months": months, "young": young, "is_sharing": is_sharing}
    changed = [name for name, value in wanted.items() if getattr(purpose, name) != value]
    if not changed:
        return
    for name in changed:
        setattr(purpose, name, wanted[name])
    purpose.save(update_fields=changed)
    audit.record(action="purpose.change", target=purpose, by=by, fields=changed)
    signals.everybody_touched.send(sender=None)
