"""Schema of the segments app."""

from segments.models.segment import Segment, SegmentExport, SegmentVersion

__all__ = ["Segment", "SegmentExport", "SegmentVersion"]
