"""Who did something, as people read it: actors are written as "user:7" or "system:digest" (`audit.actor_name`)."""

from collections.abc import Collection, Mapping

from django.utils.translation import gettext as _

from cdp_site.core.models import User


def names_of(written: Collection[str]) -> Mapping[str, str]:
    """Actor as it is written → as people read it. At most one query."""
    keys = {actor: int(actor.removeprefix("user:")) for actor in written if actor.startswith("user:")}
    users = User.objects.in_bulk(set(keys.values())) if keys else {}
    return {actor: name_of(users[keys[actor]]) if keys.get(actor) in users else _platform(actor) for actor in written}


def name_of(user: User) -> str:
    return user.get_full_name() or user.get_username()


def _platform(actor: str) -> str:
    return _("Platform: %(part)s") % {"part": actor.removeprefix("system:")}
