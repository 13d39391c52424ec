"""Passing LINE's reports on to the company's own chatbot, which owned the one webhook that LINE allows before us.

A report waits in the outbox from the transaction that landed it; the job cluster delivers it right away, exactly as it
came and with LINE's own signature. A chatbot that is down is tried again each minute for GIVE_UP_AFTER: LINE's reply
tokens are void by then. What is given up shows on the webhook's page.
"""

from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from cdp_site.core import hashing, jobs, outgoing
from ingestion.models import RelayDelivery, Webhook
from ingestion.webhooks import settings as webhook_settings

JOB = "ingestion.webhooks.relay.deliver"
GIVE_UP_AFTER = timedelta(minutes=5)
TRY_EVERY = timedelta(minutes=1)
TIMEOUT_SECONDS = 10.0
# A job that died holds its delivery that long.
_LEASE = timedelta(seconds=3 * TIMEOUT_SECONDS)


def put(*, webhook_id: int, body: bytes, signature: str) -> None:
    """Into the outbox, in the caller's transaction; delivered once that commits."""
    delivery = RelayDelivery.objects.create(
        webhook_id=webhook_id, body=hashing.seal(body), signature=signature, next_at=timezone.now()
    )
    jobs.enqueue(JOB, delivery.pk)


def deliver(delivery_id: str) -> None:
    """Job: one attempt. A delivery that another job holds, or that is done, is left alone."""
    delivery = _claim(UUID(delivery_id))
    if delivery is None:
        return
    webhook = delivery.webhook
    settings = webhook_settings.read(webhook.kind, webhook.settings)
    url = settings.relay_url if isinstance(settings, webhook_settings.LineSettings) else ""
    if not url or not webhook.is_active:
        delivery.delete()
        return
    try:
        answer = outgoing.post(
            url,
            body=hashing.unseal(bytes(delivery.body)),
            headers={"Content-Type": "application/json; charset=utf-8", "X-Line-Signature": delivery.signature},
            timeout_seconds=TIMEOUT_SECONDS,
        )
    except outgoing.RefusedAddress as problem:
        _give_up(delivery, problem.fault)
    except outgoing.Unreachable as problem:
        _put_off(delivery, problem.fault)
    else:
        if answer.is_success:
            _done(delivery)
        else:
            _put_off(delivery, f"status-{answer.status}")


def deliver_due() -> None:
    """Chore: try again what waits, and what a dead job left behind."""
    with transaction.atomic():
        for delivery_id in RelayDelivery.objects.filter(next_at__lte=timezone.now()).values_list("pk", flat=True):
            jobs.enqueue(JOB, delivery_id)


@transaction.atomic
def _claim(delivery_id: UUID) -> RelayDelivery | None:
    now = timezone.now()
    delivery = (
        RelayDelivery.objects.select_for_update(skip_locked=True, of=("self",))
        .select_related("webhook")
        .filter(pk=delivery_id, next_at__lte=now)
        .first()
    )
    if delivery is not None:
        delivery.attempts += 1
        delivery.next_at = now + _LEASE
        delivery.save(update_fields=["attempts", "next_at"])
    return delivery


def _put_off(delivery: RelayDelivery, problem: str) -> None:
    if timezone.now() - delivery.created_at >= GIVE_UP_AFTER:
        _give_up(delivery, problem)
        return
    delivery.next_at = timezone.now() + TRY_EVERY
    delivery.save(update_fields=["next_at"])
    Webhook.objects.filter(pk=delivery.webhook_id).update(relay_problem=problem[:20])


@transaction.atomic
def _give_up(delivery: RelayDelivery, problem: str) -> None:
    delivery.delete()
    Webhook.objects.filter(pk=delivery.webhook_id).update(relay_problem=problem[:20], relay_failed_at=timezone.now())


@transaction.atomic
def _done(delivery: RelayDelivery) -> None:
    delivery.delete()
    Webhook.objects.filter(pk=delivery.webhook_id).update(relayed_at=timezone.now(), relay_problem="")
