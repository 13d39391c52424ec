"""Sources: the company's systems that send data."""

import re
import unicodedata

from django.db import transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _

from cdp_site.core import audit
from cdp_site.core.errors import ConflictProblem, MendableError
from cdp_site.core.models import Department, User
from ingestion.models import Source
from ingestion.signals import trust_changed

MAX_SLUG_LENGTH = 50  # Identifier.namespace


@transaction.atomic
def create(
    *, name: str, department: Department | None, kind: str, by: User | str, slug: str = "", phone_region: str = "TH"
) -> Source:
    """A new source. Raises MendableError for an unknown kind or a short name that is taken.

    Args:
        slug: its short name, also the namespace of its ids; made from `name` when empty.
        department: None makes it common to all departments.
    """
    if kind not in Source.Kind.values or kind == Source.Kind.INTERNAL:
        known = ", ".join(value for value in Source.Kind.values if value != Source.Kind.INTERNAL)
        raise MendableError(f"There is no kind {kind!r} of source.", field="kind", hint=f"One of: {known}.")
    slug = slug or _slug_for(name, kind)
    if Source.objects.filter(slug=slug).exists():
        raise ConflictProblem(_("The short name “%(slug)s” is taken.") % {"slug": slug}, field="slug")
    source = Source.objects.create(slug=slug, name=name, kind=kind, department=department, phone_region=phone_region)
    audit.record(
        action="source.create", target=source, by=by, fields=["name", "slug", "kind", "department", "phone_region"]
    )
    return source


@transaction.atomic
def edit(
    *, source: Source, name: str, department: Department | None, trust_rank: int, is_active: bool, by: User | str
) -> frozenset[str]:
    """Change a source and audit which fields changed; returns their names. Unchanged values write nothing.

    An inactive source keeps all it has brought; its keys stop being taken within `keys.CACHE_SECONDS`. A changed trust
    rank sends `signals.trust_changed`. Raises ConflictProblem for this platform's own source.
    """
    if source.kind == Source.Kind.INTERNAL:
        raise ConflictProblem(_("This platform's own source is not edited."))
    held = Source.objects.select_for_update().get(pk=source.pk)
    wanted = {"name": name, "department": department, "trust_rank": trust_rank, "is_active": is_active}
    changed = frozenset(field for field, value in wanted.items() if getattr(held, field) != value)
    if changed:
        for field in changed:
            setattr(held, field, wanted[field])
        held.save(update_fields=changed)
        audit.record(action="source.change", target=held, by=by, fields=changed)
    if "trust_rank" in changed:
        trust_changed.send(sender=Source, source_id=held.pk)
    return changed


@transaction.atomic
def set_doors(
    *, source: Source, allowed_origins: list[str], rate_per_second: int | None, by: User | str
) -> frozenset[str]:
    """Set which web pages may send to a source, and how many messages a second all its senders together may; audit
    which of the two changed and return their names. Unchanged values write nothing.

    Web servers follow within `keys.CACHE_SECONDS`. Raises ConflictProblem for this platform's own source.
    """
    if source.kind == Source.Kind.INTERNAL:
        raise ConflictProblem(_("This platform's own source is not edited."))
    held = Source.objects.select_for_update().get(pk=source.pk)
    wanted = {"allowed_origins": allowed_origins, "rate_per_second": rate_per_second}
    changed = frozenset(field for field, value in wanted.items() if getattr(held, field) != value)
    if changed:
        for field in changed:
            setattr(held, field, wanted[field])
        held.save(update_fields=changed)
        audit.record(action="source.change", target=held, by=by, fields=changed)
    return changed


def _slug_for(name: str, kind: str) -> str:
    """From the Latin letters of the name; from the kind when there are none (Thai names), with a number if taken."""
    base = slugify(unicodedata.normalize("NFKD", name))[:MAX_SLUG_LENGTH] or kind.replace("_", "-")
    taken = set(Source.objects.filter(slug__startswith=base).values_list("slug", flat=True))
    if base not in taken:
        return base
    numbers = [int(found[1]) for slug in taken if (found := re.fullmatch(rf"{re.escape(base)}-(\d+)", slug))]
    return f"{base[: MAX_SLUG_LENGTH - 6]}-{max(numbers, default=1) + 1}"
