"""Saved mappings: the list, and one with its versions, what changed between two of them, and what used it."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from cdp_site.core.access import Permission, requires
from ingestion.files import presets
from ingestion.mapping_screen import mapping_diff, mapping_use
from ingestion.models import FieldMapping, FileImport
from ingestion.views.fetch import reader

LISTED = 200
SHOWN_IMPORTS = 20


@requires(Permission.VIEW_SOURCES, Permission.IMPORT_FILES)
@require_GET
def list_mappings(request: HttpRequest) -> HttpResponse:
    """Every name with its newest version, and the presets that ship."""
    found = FieldMapping.objects.visible_to(reader(request)).newest_versions().with_people().with_use()
    shipped = [(name, presets.title(name), mapping_diff.rows_label(one)) for name, one in presets.load().items()]
    context = {"mappings": [(one, mapping_diff.rows_label(one.definition)) for one in found.by_name()[:LISTED]]}
    return render(request, "ingestion/mappings.html", {**context, "presets": shipped})


@requires(Permission.VIEW_SOURCES, Permission.IMPORT_FILES)
@require_GET
def show_mapping(request: HttpRequest, name: str) -> HttpResponse:
    """One mapping: `?from=1&to=2` are the versions to compare, by default the last two."""
    user = reader(request)
    versions = list(FieldMapping.objects.visible_to(user).named(name).newest_first().with_people())
    if not versions:
        raise Http404
    by_number = {str(one.version): one for one in versions}
    after = by_number.get(request.GET.get("to", ""), versions[0])
    earlier = next((one for one in versions if one.version < after.version), None)
    before = by_number.get(request.GET.get("from", ""), earlier)
    context = {
        "name": name,
        "versions": versions,
        "before": before,
        "after": after,
        "changes": mapping_diff.changes(before.definition, after.definition) if before else [],
        "settings": mapping_diff.settings(after.definition),
        "uses": mapping_diff.uses(after.definition),
        "doors": mapping_use.doors(name, user=user),
        "imports": FileImport.objects.visible_to(user).by_mapping(name).with_source().newest_first()[:SHOWN_IMPORTS],
    }
    return render(request, "ingestion/mapping_versions.html", context)
