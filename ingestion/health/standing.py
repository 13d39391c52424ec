"""How a source fares, in one word: what its open alerts say, so that list, page and mail never disagree."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext_lazy as _

from cdp_site.core.errors import Text
from ingestion.models import AccountRow, Alert, AlertKind, Source


@dataclass(frozen=True, slots=True)
class Standing:
    """`badge` is a kind of components/badge.html."""

    key: str
    text: Text
    icon: str
    badge: str


HEALTHY: Final = Standing("healthy", _("Healthy"), "circle-check", "ok")
SWITCHED_OFF: Final = Standing("off", _("Switched off"), "player-pause", "")
NEVER_SENT: Final = Standing("new", _("Nothing sent yet"), "clock", "")
# The worst first.
OF_ALERTS: Final[Mapping[str, Standing]] = {
    AlertKind.BACKLOG: Standing("backlog", _("Backlog"), "alert-triangle", "danger"),
    AlertKind.SILENT: Standing("silent", _("Silent"), "bell", "danger"),
    AlertKind.QUARANTINE: Standing("violations", _("Violations"), "alert-triangle", "warn"),
    AlertKind.IMPORT: Standing("import", _("Import failed"), "file-import", "warn"),
    AlertKind.CLOCK: Standing("clock", _("Wrong clock"), "clock", "warn"),
}


def of_sources(sources: Iterable[Source], *, heard_of: Collection[int]) -> dict[int, Standing]:
    """Source id → how it fares; `heard_of` are those that ever sent anything. One query."""
    sources = list(sources)
    open_kinds: dict[int, set[str]] = {}
    for source_id, kind in Alert.objects.of_sources([one.pk for one in sources]).open().kinds():
        open_kinds.setdefault(source_id, set()).add(kind)
    return {one.pk: of(one, open_kinds.get(one.pk, ()), was_heard_of=one.pk in heard_of) for one in sources}


def of_source(source: Source) -> Standing:
    """Two queries."""
    heard_of = AccountRow.objects.of_source(source).exists()
    return of_sources([source], heard_of=[source.pk] if heard_of else [])[source.pk]


def of(source: Source, open_kinds: Collection[str], *, was_heard_of: bool) -> Standing:
    """The worst of what is wrong; a source that is switched off is watched no longer."""
    if not source.is_active:
        return SWITCHED_OFF
    worst = next((known for kind, known in OF_ALERTS.items() if kind in open_kinds), None)
    return worst or (HEALTHY if was_heard_of else NEVER_SENT)
