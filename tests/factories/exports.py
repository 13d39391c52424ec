"""Lists made as a marketer asks for them, without waiting for the job cluster."""

from typing import Any

from cdp_site.core.models import User
from consent.models import Purpose
from segments.exports import asking, files, job
from segments.exports.asking import Wish
from segments.models import Segment, SegmentExport


def ask(segment: Segment, purpose: Purpose, channel: str, by: User, **said: Any) -> SegmentExport:
    """A list that waits for its job; nobody is held out of it unless it is said."""
    wish = Wish(
        purpose=purpose,
        format=said.pop("format", SegmentExport.Format.CSV),
        channel=channel,
        holdout_percent=said.pop("holdout_percent", 0),
        **said,
    )
    return asking.start(segment=segment, wish=wish, by=by)


def make(export: SegmentExport) -> SegmentExport:
    """What its job makes of it."""
    job.run(str(export.pk))
    export.refresh_from_db()
    return export


def exported(segment: Segment, purpose: Purpose, channel: str, by: User, **said: Any) -> SegmentExport:
    """A list that is ready."""
    return make(ask(segment, purpose, channel, by, **said))


def content(export: SegmentExport, by: User) -> bytes:
    """Its file, as who asked for it fetches it."""
    return b"".join(files.fetch(export=export, by=by))
