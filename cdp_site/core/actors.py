"""Who did something, as people read it: actors are written as "user:7", "key:7" or "system:digest"
(`audit.actor_name`)."""

from collections.abc import Collection, Mapping

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from cdp_site.core.models import MachineKey, User

# Parts of the platform that act by themselves. Others, such as a command with a name of its own, are called by it.
_PARTS = {
    "digest": gettext_lazy("intake"),
    "matching": pgettext_lazy("part of the platform", "matching"),
    "match_batch": gettext_lazy("run of matching"),
    "train_matching": gettext_lazy("training"),
    "quality": gettext_lazy("data quality"),
    "erasure": pgettext_lazy("part of the platform", "erasure"),
    "export": pgettext_lazy("part of the platform", "export"),
    "retention": gettext_lazy("retention"),
    "breach": gettext_lazy("breach helper"),
    "replay": gettext_lazy("replay of quarantine"),
    "revert": gettext_lazy("taking an import back"),
    "rebuild": gettext_lazy("rebuilding profiles"),
    "webhook": gettext_lazy("webhooks"),
    "pull": gettext_lazy("pulling from databases"),
    "watched_folder": gettext_lazy("watched folders"),
    "import_file": gettext_lazy("file import"),
    "pins": gettext_lazy("pins that have run out"),
    "openings": gettext_lazy("opened customers"),
    "login": gettext_lazy("logins"),
    "demo": gettext_lazy("sample company"),
    "generate_company": gettext_lazy("sample company"),
}


def names_of(written: Collection[str]) -> Mapping[str, str]:
    """Actor as it is written → as people read it. At most one query, and one more for programs."""
    users = User.objects.in_bulk(_numbers(written, "user:"))
    keys = MachineKey.objects.in_bulk(_numbers(written, "key:"))
    people = {f"user:{number}": name_of(user) for number, user in users.items()}
    programs = {f"key:{number}": program(key) for number, key in keys.items()}
    return {actor: people.get(actor) or programs.get(actor) or _platform(actor) for actor in written}


def _numbers(written: Collection[str], kind: str) -> set[int]:
    return {int(actor.removeprefix(kind)) for actor in written if actor.startswith(kind)}


def name_of(user: User) -> str:
    return user.get_full_name() or user.get_username()


def program(key: MachineKey) -> str:
    return _("Program: %(name)s") % {"name": key.name}


def _platform(actor: str) -> str:
    part = actor.removeprefix("system:").replace("-", "_")
    return _("Platform: %(part)s") % {"part": _PARTS.get(part, part)}
