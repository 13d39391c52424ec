"""What an erasure's certificate says."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from cdp_site.core.models import AuditSeal
from consent.certificate.signing import TYPE, Document, sign
from consent.models import DataSubjectRequest
from consent.wording import GROUNDS

VERSION = 2


def build(request: DataSubjectRequest) -> Document:
    """The signed certificate of a request whose steps are all done."""
    seal = AuditSeal.objects.order_by("-sequence").values("sequence", "chain_hash").first()
    document: Document = {
        "type": TYPE,
        "version": VERSION,
        "issuer": settings.COMPANY_NAME,
        "request": {
            "id": str(request.pk),
            "kind": request.kind,
            "received_at": _time(request.received_at),
            "due_at": _time(request.due_at),
            "identity_checked": request.identity_checked,
            "approved_at": _time(request.approved_at),
            "approved_by_a_second_person": request.approved_by_id not in (None, request.requested_by_id),
        },
        "erasure": {
            "started_at": _time(request.started_at),
            "completed_at": _time(request.completed_at),
            "in_time": request.completed_at is not None and request.completed_at <= request.due_at,
        },
        "stores": [
            {
                "store": step.holder,
                "finished_at": _time(step.finished_at),
                "erased": step.outcome["erased"],
                "anonymised": step.outcome["anonymised"],
                "kept": [
                    {"table": table, "rows": n, "ground": ground, "law": GROUNDS[ground].law}
                    for table, (n, ground) in sorted(step.outcome["kept"].items())
                ],
            }
            for step in request.steps.all()
        ],
        "backups": {"days": settings.BACKUP_DAYS, "gone_by": _time(_backups_gone(request))},
        # The last link of the audit's chain: what the certificate says can be looked up there.
        "audit": None if seal is None else {"seal": seal["sequence"], "chain_hash": bytes(seal["chain_hash"]).hex()},
    }
    return sign(document)


def _backups_gone(request: DataSubjectRequest) -> datetime | None:
    """When the last backup that was made before the end of the erasure is removed."""
    return request.completed_at and request.completed_at + timedelta(days=settings.BACKUP_DAYS)


def _time(value: Any) -> str | None:
    return None if value is None else value.isoformat(timespec="seconds")
