"""Writing scripts down: their words, whether they are said, and which comes first."""

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext_lazy as _

from cdp_site.core import audit
from cdp_site.core.errors import ConflictProblem, MendableError
from cdp_site.core.models import User
from segments.models import Script, ScriptVersion, Segment

LONGEST = 2000  # Script.text


@transaction.atomic
def write(*, segment: Segment, text: str, text_th: str, is_active: bool, seen: int, by: User) -> Script:
    """The segment's script with these words; other words are a new version, the old ones stay on record.

    Args:
        seen: the version that the author changed; 0 when there was no script yet.

    Raises MendableError for a script without words, ConflictProblem when a colleague was faster.
    """
    text, text_th = text.strip(), text_th.strip()
    if not text and not text_th:
        raise MendableError(_("A script needs words, in one language at least."), field="text_th")
    Segment.objects.select_for_update().get(pk=segment.pk)
    script: Script | None = Script.objects.select_for_update().filter(segment=segment).first()
    if seen != (script.version if script else 0):
        raise ConflictProblem(
            _("A colleague has just changed this script."), hint=_("Compare it with yours below, then save again.")
        )
    if script is None:
        last = Script.objects.aggregate(last=Max("rank"))["last"] or 0
        script = Script(segment=segment, version=0, rank=last + 1)
    new = {"text": text, "text_th": text_th, "is_active": is_active}
    changed = [name for name, value in new.items() if script.version == 0 or getattr(script, name) != value]
    if not changed:
        return script
    for name in changed:
        setattr(script, name, new[name])
    has_new_words = bool({"text", "text_th"} & set(changed))
    script.version += has_new_words
    script.changed_by = by
    script.save()
    if has_new_words:
        ScriptVersion.objects.create(
            script=script, version=script.version, text=text, text_th=text_th, actor=audit.actor_name(by)
        )
    audit.record(action="script.write", target=script, by=by, fields=changed)
    return script


@transaction.atomic
def move(*, script: Script, up: bool, by: User) -> None:
    """One place up or down among all scripts, whoever wrote them. At the end of the list nothing happens."""
    order = list(Script.objects.select_for_update().order_by("rank", "pk"))
    place = next(place for place, one in enumerate(order) if one.pk == script.pk)
    other = place - 1 if up else place + 1
    if not 0 <= other < len(order):
        return
    order[place], order[other] = order[other], order[place]
    for rank, one in enumerate(order, start=1):
        one.rank = rank
    Script.objects.bulk_update(order, ["rank"])
    audit.record(action="script.move", target=script, by=by, fields=["rank"])
