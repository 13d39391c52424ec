"""Schema of the segments app."""

from segments.models.draft import DraftStep, SegmentDraft
from segments.models.export import ExportMember, SegmentExport
from segments.models.folder import SegmentFolder
from segments.models.grant import SegmentGrant
from segments.models.membership import PendingMembership, SegmentFreshness, SegmentPassage, SegmentState
from segments.models.script import Script, ScriptVersion
from segments.models.segment import Segment, SegmentVersion
from segments.models.size import SegmentSize
from segments.models.static_list import StaticList, StaticListMember
from segments.models.trait import ComputedTrait, ComputedTraitVersion, ComputedValue, PendingValues

__all__ = [
    "ComputedTrait",
    "ComputedTraitVersion",
    "ComputedValue",
    "DraftStep",
    "ExportMember",
    "PendingMembership",
    "PendingValues",
    "Script",
    "ScriptVersion",
    "Segment",
    "SegmentDraft",
    "SegmentExport",
    "SegmentFolder",
    "SegmentFreshness",
    "SegmentGrant",
    "SegmentPassage",
    "SegmentSize",
    "SegmentState",
    "SegmentVersion",
    "StaticList",
    "StaticListMember",
]
