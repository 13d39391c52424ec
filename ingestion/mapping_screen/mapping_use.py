"""What reads by a mapping of its own accord: webhooks, pulls from databases, watched folders."""

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from cdp_site.core.errors import Text
from cdp_site.core.models import User
from ingestion.models import Pull, Source, WatchedFolder, Webhook

KINDS: dict[type, Text] = {Webhook: _("Webhook"), Pull: _("Pull from a database"), WatchedFolder: _("Watched folder")}


@dataclass(frozen=True, slots=True)
class Door:
    """One way in that uses the mapping."""

    kind: Text
    name: str
    source: Source
    is_active: bool


def doors(name: str, *, user: User) -> list[Door]:
    """Those that the user may see and that use the newest version of the mapping of this name. Three queries."""
    webhooks = Webhook.objects.visible_to(user).filter(settings__mapping=name).select_related("source")
    pulls = Pull.objects.visible_to(user).filter(mapping_name=name).with_source()
    folders = WatchedFolder.objects.visible_to(user).filter(mapping_name=name).with_source()
    return [
        *(Door(KINDS[Webhook], one.get_kind_display(), one.source, one.is_active) for one in webhooks),
        *(Door(KINDS[Pull], one.name, one.source, one.is_active) for one in pulls),
        *(Door(KINDS[WatchedFolder], one.path, one.source, one.is_active) for one in folders),
    ]
