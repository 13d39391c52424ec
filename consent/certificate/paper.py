"""The certificate as a paper."""

from collections.abc import Iterator
from datetime import datetime

from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import override

from cdp_site.core.pdf import Paper
from cdp_site.core.templatetags.formats import count, day_text, moment_text
from consent.certificate.signing import Document
from consent.models import DataSubjectRequest
from consent.wording import GROUNDS, STORES, TABLES


def draw(document: Document, language: str) -> bytes:
    """The paper in Thai ("th") or English; the same bytes for the same certificate."""
    with override(language):
        return _draw(document, language)


def _draw(document: Document, language: str) -> bytes:
    asked, done, signature = document["request"], document["erasure"], document["signature"]
    ended = _time(done["completed_at"])
    paper = Paper(_("Certificate of erasure"), language, made_at=ended, footer=f"{document['issuer']} · {asked['id']}")
    paper.text(
        _(
            "%(company)s confirms that the personal data of one person was erased as this certificate says. It names"
            " nobody; it belongs to the request below."
        )
        % {"company": document["issuer"]}
    )
    paper.facts(_facts(document))
    paper.heading(_("What was done"))
    rows = list(_done(document))
    if rows:
        paper.table([_("Data store"), _("Data"), _("What is done"), _("Rows")], rows, (4, 5, 2.4, 1.4))
    kept = list(_kept(document))
    paper.heading(_("What is kept, and why"))
    if kept:
        paper.table([_("Data"), _("Rows"), _("Ground"), _("Law")], kept, (4, 1.4, 5.4, 2.2))
    else:
        paper.text(_("Nothing."))
    paper.heading(_("Backups"))
    if backups := document.get("backups"):
        told = {"days": backups["days"], "day": _day(backups["gone_by"])}
        paper.text(
            _(
                "Backups are kept for %(days)s days: the last that holds the data is removed by %(day)s. A backup that"
                " is restored before erases the person again before it is used."
            )
            % told
        )
    paper.heading(_("How to verify this certificate"))
    paper.text(
        _(
            "The last line of this file is a signature over all of its bytes. The company verifies it with manage.py"
            " verify_certificate FILE; whoever has the public key does so without the company."
        )
    )
    paper.facts([(_("Public key"), signature["public_key"]), (_("Id of the key"), signature["key_id"])])
    if document["audit"]:
        paper.small(f"{_('Link of the audit')}: {document['audit']['seal']} · {document['audit']['chain_hash']}")
    return paper.bytes()


def _facts(document: Document) -> Iterator[tuple[str, object]]:
    asked, done = document["request"], document["erasure"]
    known = dict(DataSubjectRequest.IdentityCheck.choices)
    yield _("Request"), asked["id"]
    yield _("Received"), moment_text(_time(asked["received_at"]))
    yield _("Due"), _day(asked["due_at"])
    yield _("Identified"), known.get(asked["identity_checked"], asked["identity_checked"])
    yield _("Approved"), moment_text(_time(asked["approved_at"]))
    yield _("Approved by a second person"), _("yes") if asked["approved_by_a_second_person"] else _("no")
    yield _("Started"), moment_text(_time(done["started_at"]))
    yield _("Completed"), moment_text(_time(done["completed_at"]))
    yield _("In time"), _("yes") if done["in_time"] else _("no")


def _done(document: Document) -> Iterator[list[object]]:
    for store in document["stores"]:
        for verb, action in (("erased", _("erased")), ("anonymised", _("anonymised"))):
            for table, rows in sorted(store[verb].items()):
                yield [STORES.get(store["store"], store["store"]), TABLES.get(table, table), action, count(rows)]


def _kept(document: Document) -> Iterator[list[object]]:
    for store in document["stores"]:
        for line in store["kept"]:
            ground = GROUNDS.get(line["ground"])
            table = TABLES.get(line["table"], line["table"])
            yield [table, count(line["rows"]), ground.text if ground else line["ground"], line["law"]]


def _day(value: str) -> str:
    return day_text(timezone.localtime(_time(value)))


def _time(value: str | None) -> datetime | None:
    return parse_datetime(value) if value else None
