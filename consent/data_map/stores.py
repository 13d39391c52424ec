"""What lies in files, outside the tables: in the data folder, and at the company's servers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext_lazy as _

from cdp_site.core.errors import Text


@dataclass(frozen=True, slots=True)
class Store:
    """`place` is below the data folder (`CDP_DATA`); `kept` a key of `tables.KEPT`, or words."""

    place: str
    what: Text
    activity: str
    kept: str
    is_personal: bool = True
    words: Text = ""


STORES: Final[Sequence[Store]] = (
    Store("imports/", _("Imported files, encrypted"), "intake", "files"),
    Store("exports/", _("Exported lists, sealed"), "audiences", "", words=_("one day")),
    Store("packages/", _("Copies that people asked for, sealed"), "requests", "", words=_("until their link ends")),
    Store("mail/", _("Mails where no mail server is set"), "operations", "ever"),
    Store("models/", _("Weights of matching models; nobody's values"), "matching", "ever", is_personal=False),
    Store("audit/", _("Anchors of the audit"), "security", "proof", is_personal=False),
    Store("erasures/", _("Ledger of erasures: keyed hashes alone"), "suppression", "suppression"),
    Store("backups/", _("Backups, encrypted where a key is set"), "operations", "", words=_("35 days")),
    Store("postgres/", _("The database itself, with its log and WAL"), "operations", "",
          words=_("as its tables; free space is written anew each month")),
    Store("run/", _("Logs of the processes: ids alone"), "operations", "ever", is_personal=False),
)  # fmt: skip
