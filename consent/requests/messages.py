"""Messages to customers: noted with what they tell of, sent by jobs, tried again with growing pauses.

Mail goes by the company's mail server, SMS and LINE by its gateway (`consent.requests.gateways`). What did not arrive
until `give_up_at`, for most thirty days, waits on the page of requests for a person. At least once: a gateway gets the
message's id as `Idempotency-Key`.
"""

import json
import smtplib
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec
import structlog
from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from cdp_site.core import audit, hashing, jobs, outgoing
from cdp_site.core.errors import ConflictProblem, Text
from cdp_site.core.models import User
from consent.models import DataSubjectRequest, MessageGateway, OutgoingMessage

log = structlog.get_logger("requests")

JOB: Final = "consent.jobs.send_message"
FIRST_PAUSE: Final = timedelta(minutes=1)
LONGEST_PAUSE: Final = timedelta(hours=12)
TRIED_FOR: Final = timedelta(days=30)
TIMEOUT_SECONDS: Final = 10.0
AT_ONCE: Final = 200
NO_MAIL: Final = "mail"
NO_GATEWAY: Final = "no_gateway"
ERASED: Final = "erased"  # the person was erased before it went out

Status = OutgoingMessage.Status
What = OutgoingMessage.What


class Content(msgspec.Struct, frozen=True):
    """What is sent and to whom, sealed while it waits."""

    to: str
    subject: str
    text: str


class _Failed(Exception):
    """It did not arrive; `code` says why, `is_final` that trying again changes nothing."""

    def __init__(self, code: str, *, is_final: bool = False) -> None:
        super().__init__(code)
        self.code = code
        self.is_final = is_final


def post(
    *,
    request: DataSubjectRequest | None,
    channel: str,
    what: str,
    content: Content,
    identifier: int | None = None,
    give_up_at: datetime | None = None,
) -> OutgoingMessage:
    """Note a message in the caller's transaction; its job begins when it is committed."""
    now = timezone.now()
    message = OutgoingMessage.objects.create(
        request=request,
        channel=channel,
        what=what,
        identifier=identifier,
        content=hashing.seal(msgspec.json.encode(content)),
        due_at=now,
        give_up_at=give_up_at or now + TRIED_FOR,
    )
    jobs.enqueue(JOB, message.pk)
    return message


def send_due() -> int:
    """Enqueue what is to be tried (again) now; returns how many. Run by the clock."""
    due = OutgoingMessage.objects.filter(status=Status.WAITING, due_at__lte=timezone.now()).order_by("due_at")
    with transaction.atomic():
        ids = list(due.values_list("pk", flat=True)[:AT_ONCE])
        for message_id in ids:
            jobs.enqueue(JOB, message_id)
    return len(ids)


def deliver(message_id: UUID) -> None:
    """Send one message, if it is due. Idempotent: one that is sent, given up or taken by another job stays as it is."""
    message = _take(message_id)
    if message is None:
        return
    try:
        _send(message)
    except _Failed as failure:
        is_over = failure.is_final or message.what == What.TEST or message.due_at >= message.give_up_at
        message.status, message.problem = (Status.FAILED if is_over else Status.WAITING), failure.code
        log.warning("request.message_not_sent", message=str(message.pk), attempts=message.attempts, why=failure.code)
    else:
        message.status, message.problem, message.sent_at = Status.SENT, "", timezone.now()
    if message.status != Status.WAITING:
        message.content = None  # it is over: whom it went to, and what it said, is of no more use
        message.identifier = None
    message.save(update_fields=["status", "problem", "sent_at", "content", "identifier"])


def pause_after(attempts: int) -> timedelta:
    """1, 2, 4 … minutes, at most LONGEST_PAUSE."""
    return min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(attempts - 1, 20))


def tasks() -> list[OutgoingMessage]:
    """What could not be delivered and waits for a person; codes that expired need nobody, nor does who was erased."""
    failed = OutgoingMessage.objects.filter(status=Status.FAILED, what=What.NEWS).exclude(problem=ERASED)
    failed = failed.select_related("request")
    return list(failed.order_by("created_at"))


@transaction.atomic
def settle(*, message_id: UUID, by: User) -> None:
    """Somebody has told the customer in another way. Raises ConflictProblem when it waits for nobody."""
    message = OutgoingMessage.objects.select_for_update().get(pk=message_id)
    if message.status != Status.FAILED:
        raise ConflictProblem(_("This message waits for nobody."))
    message.status, message.handled_by, message.handled_at = Status.BY_HAND, by, timezone.now()
    message.save(update_fields=["status", "handled_by", "handled_at"])
    audit.record(action="message.by_hand", target=message, by=by, fields=["status"])


def problem_text(code: str) -> Text:
    """Why a message did not arrive, in words."""
    if code == NO_MAIL:
        return _("The mail server did not take it.")
    if code == ERASED:
        return _("The person was erased before it went out.")
    if code == NO_GATEWAY:
        return _("No gateway is set up for this channel.")
    if code.startswith("http_"):
        return _("The receiver answered with status %(status)s.") % {"status": code.removeprefix("http_")}
    return outgoing.FAULT_TEXTS.get(code, code)


@transaction.atomic(durable=True)
def _take(message_id: UUID) -> OutgoingMessage | None:
    now = timezone.now()
    due = OutgoingMessage.objects.filter(pk=message_id, status=Status.WAITING, due_at__lte=now)
    message: OutgoingMessage | None = due.select_for_update(skip_locked=True, of=("self",)).first()
    if message is None:
        return None
    message.attempts += 1
    message.due_at = now + pause_after(message.attempts)
    message.save(update_fields=["attempts", "due_at"])
    return message


def _send(message: OutgoingMessage) -> None:
    if message.content is None:
        raise _Failed("emptied", is_final=True)
    content = msgspec.json.decode(hashing.unseal(bytes(message.content)), type=Content)
    if message.channel == OutgoingMessage.Channel.EMAIL:
        mail = EmailMessage(subject=f"[{settings.COMPANY_NAME}] {content.subject}", body=content.text, to=[content.to])
        try:
            mail.send()
        except (OSError, smtplib.SMTPException) as error:
            raise _Failed(NO_MAIL) from error
    else:
        _call_gateway(message, content)


def _call_gateway(message: OutgoingMessage, content: Content) -> None:
    gateway = MessageGateway.objects.filter(channel=message.channel, is_active=True).first()
    if gateway is None:
        raise _Failed(NO_GATEWAY)
    headers = {"Content-Type": "application/json; charset=utf-8", "Idempotency-Key": str(message.pk)}
    if gateway.header and gateway.secret:
        headers[gateway.header] = hashing.unseal(bytes(gateway.secret)).decode()
    body = json.dumps(filled(json.loads(gateway.template), content), ensure_ascii=False).encode()
    try:
        answer = outgoing.post(gateway.url, body=body, headers=headers, timeout_seconds=TIMEOUT_SECONDS)
    except outgoing.RefusedAddress as refusal:
        raise _Failed(refusal.fault.value, is_final=True) from refusal
    except outgoing.Unreachable as problem:
        raise _Failed(problem.fault.value) from problem
    if not answer.is_success:
        raise _Failed(f"http_{answer.status}")


def filled(template: Any, content: Content) -> Any:
    """The body of a gateway's template: {to}, {text} and {subject} replaced in every text of it."""
    if isinstance(template, dict):
        return {key: filled(value, content) for key, value in template.items()}
    if isinstance(template, list):
        return [filled(value, content) for value in template]
    if isinstance(template, str):
        parts = {"{to}": content.to, "{text}": content.text, "{subject}": content.subject}
        return parts.get(template) or _replaced(template, parts)
    return template


def _replaced(text: str, parts: dict[str, str]) -> str:
    """In one pass, so that a text which holds "{to}" itself stays what it is."""
    out, rest = "", text
    while rest:
        first = min((at, mark) for mark in (*parts, "") if (at := rest.find(mark) if mark else len(rest)) >= 0)
        at, mark = first
        out += rest[:at] + parts.get(mark, "")
        rest = rest[at + len(mark) :] if mark else ""
    return out
