"""Schema of the segments app."""

from segments.models.script import Script, ScriptVersion
from segments.models.segment import Segment, SegmentExport, SegmentVersion

__all__ = ["Script", "ScriptVersion", "Segment", "SegmentExport", "SegmentVersion"]
