"""Files made to do harm that are small already: each has its verdict within two seconds. The large ones of the same
table are `bench hostile`."""

import resource
import time
from pathlib import Path

import pytest
from pytest_django import Settings

from cdp_site.operations.bench import hostile
from ingestion import sources
from ingestion.models import Source

pytestmark = pytest.mark.django_db
SMALL = frozenset(
    {"many_files", "xlsx_external_links", "xlsx_entities", "xlsx_external_entity", "zip_climbing", "zip_overlapping"}
)


@pytest.mark.parametrize("case", [case for case in hostile.CASES if case.name in SMALL], ids=lambda case: case.name)
def test_a_hostile_file_is_judged_soon_and_leaves_nothing(
    case: hostile.Case, settings: Settings, tmp_path: Path
) -> None:
    settings.CDP_DATA = tmp_path / "data"
    sources.create(name="Hostile", slug=hostile.SLUG, department=None, kind=Source.Kind.OTHER, by=hostile.BY)
    file = tmp_path / "hostile"
    with file.open("wb") as target:
        case.write(target)
    begun, used = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF).ru_utime
    assert hostile.upload(str(file)) == case.verdict
    # Of processor time, the child that opens workbooks included by its own limit: a busy machine makes no test fail.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_utime - used < hostile.MOST_SECONDS
    assert time.monotonic() - begun < 60
    assert [path for path in tmp_path.rglob("*") if path.is_file()] in ([file], [file, *_stored(tmp_path)])


def _stored(folder: Path) -> list[Path]:
    return [path for path in (folder / "data" / "imports").glob("*") if path.is_file()]
