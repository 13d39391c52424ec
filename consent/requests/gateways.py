"""The company's systems that send SMS and LINE messages, each called by one POST of JSON."""

import json
import re

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from cdp_site.core import audit, hashing, outgoing
from cdp_site.core.errors import MendableError
from cdp_site.core.models import User
from consent.models import MessageGateway, OutgoingMessage
from consent.requests import messages

EXAMPLE = '{"to": "{to}", "message": "{text}"}'
_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,59}")
_OURS = frozenset({"content-type", "content-length", "host", "connection", "idempotency-key", "transfer-encoding"})


@transaction.atomic
def save(
    *, channel: str, url: str, template: str, header: str, secret: str, is_active: bool, by: User
) -> MessageGateway:
    """Set the gateway of a channel up, or change it. An empty `secret` keeps the one that is there.

    Raises MendableError for an address that is never called, a body that is no JSON or names no receiver, and a header
    that cannot be sent.
    """
    outgoing.check(url)
    _check_template(template)
    if header and (not _HEADER.fullmatch(header) or header.lower() in _OURS):
        raise MendableError(_("That is no name of a header that can be set."), field="header")
    if any(not " " <= char <= "~" for char in secret):
        raise MendableError(_("A key consists of plain letters, digits and signs."), field="secret")
    gateway, _is_new = MessageGateway.objects.select_for_update().get_or_create(
        channel=channel, defaults={"url": url, "template": template}
    )
    if gateway.url != url and gateway.secret and not secret and header:
        raise MendableError(_("Type the key again: it does not go to another address by itself."), field="secret")
    gateway.url, gateway.template, gateway.header, gateway.is_active = url, template, header, is_active
    if secret or not header:
        gateway.secret = hashing.seal(secret.encode()) if secret and header else None
    gateway.tested_at = None
    gateway.save()
    audit.record(action="gateway.save", target=gateway, by=by, fields=["url", "template", "header", "is_active"])
    return gateway


def send_test(*, gateway: MessageGateway, to: str, text: str, by: User) -> OutgoingMessage:
    """Send a test at once and return what became of it; it is tried once. Must not run inside a transaction."""
    with transaction.atomic():
        content = messages.Content(to, str(_("Test")), text)
        test = messages.post(request=None, channel=gateway.channel, what=OutgoingMessage.What.TEST, content=content)
        audit.record(action="gateway.test", target=gateway, by=by)
    messages.deliver(test.pk)
    test.refresh_from_db()
    if test.status == OutgoingMessage.Status.SENT:
        MessageGateway.objects.filter(pk=gateway.pk).update(tested_at=timezone.now())
    return test


def _check_template(template: str) -> None:
    try:
        body = json.loads(template)
    except ValueError as error:
        raise MendableError(_("That is no JSON."), field="template", hint=EXAMPLE) from error
    said = json.dumps(body, ensure_ascii=False)
    if not isinstance(body, dict) or "{to}" not in said or "{text}" not in said:
        raise MendableError(
            _("An object of JSON that names {to} and {text} is needed."), field="template", hint=EXAMPLE
        )
