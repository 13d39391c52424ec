"""A chunk of a list's members: put to the gate, drawn, and written as rows."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from django.db.models import Min

from cdp_site.core.access import Scope, scope_of
from cdp_site.core.models import User
from profiles import masking
from profiles.models import Membership, Profile
from segments.exports import columns, drawing, formats, gating
from segments.exports.gating import Answer
from segments.models import ExportMember, SegmentExport


@dataclass(frozen=True)
class Chunk:
    """What became of some members. `rows` are the cells of those on the list; `gone` have no customer of their own any
    more: merged into another member, or not there."""

    listed: list[ExportMember] = field(default_factory=list)
    held_out: list[ExportMember] = field(default_factory=list)
    gone: list[ExportMember] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    rows: list[list[str]] = field(default_factory=list)


@dataclass(frozen=True)
class Lister:
    """Makes rows for a list as its asker may read them."""

    export: SegmentExport
    scope: Scope
    shows_identifiers: bool

    @classmethod
    def of(cls, export: SegmentExport, by: User) -> "Lister":
        return cls(export, scope_of(by), masking.shows_all_identifiers(by))

    def sources_beside(self, known: Sequence[int] | None) -> list[int] | None:
        """The sources whose data may be in the file with what this lister adds; None: of all."""
        if known is None or self.scope.source_ids is None:
            return None
        return sorted({*known, *self.scope.source_ids})

    def chunk(self, members: Sequence[ExportMember]) -> Chunk:
        """Put members to the gate and draw who of those that pass is held out. Seven queries at most and two for each
        channel."""
        people = _people(self.export, members)
        answers = gating.ask(
            [profile.pk for profile in people.values()],
            purpose=self.export.purpose,
            form=formats.of(self.export),
            channels=formats.channels_of(self.export),
            scope=self.scope,
        )
        found, passing = Chunk(), list[tuple[Profile, Answer]]()
        for member in members:
            profile = people.get(member.pk)
            answer = answers.get(profile.pk) if profile else None
            if profile is None or answer is None:
                found.gone.append(member)
            elif answer.reason is not None:
                found.gone.append(member)
                found.left_out[answer.reason.value] += 1
            elif drawing.is_held_out(self.export.pk, profile.public_id, self.export.holdout_percent):
                found.held_out.append(member)
            else:
                found.listed.append(member)
                passing.append((profile, answer))
        found.rows.extend(self._rows(passing))
        return found

    def _rows(self, passing: Collection[tuple[Profile, Answer]]) -> list[list[str]]:
        form = formats.of(self.export)
        if form.is_platform:
            return [
                [column.cell(answer.addresses.get(column.channel, "")) for column in form.columns]
                for _profile, answer in passing
            ]
        values = columns.values_of([profile for profile, _answer in passing], self.scope)
        return [
            columns.row(
                profile,
                values.get(profile.pk, {}),
                answer.addresses[self.export.channel],
                self.export.columns,
                shows_identifiers=self.shows_identifiers,
            )
            for profile, answer in passing
        ]


def header_of(export: SegmentExport) -> list[str]:
    """The first row of the file; empty for forms without one."""
    form = formats.of(export)
    if form.is_platform:
        return [column.header for column in form.columns] if form.has_header else []
    return columns.header(export.columns, export.channel)


def _people(export: SegmentExport, members: Sequence[ExportMember]) -> Mapping[int, Profile]:
    """Member id → their customer now; without those whose customer is that of another member with an older record.
    Three queries."""
    held = Membership.objects.filter(valid_to__isnull=True)
    owners = dict(
        held.filter(record__in=[member.record_id for member in members]).values_list("record_id", "profile_id")
    )
    chosen = ExportMember.objects.of(export.pk).values("record")
    first = dict(
        held.filter(profile__in=owners.values(), record__in=chosen)
        .values("profile_id")
        .annotate(first=Min("record_id"))
        .values_list("profile_id", "first")
    )
    profiles = Profile.objects.live().in_bulk(list(set(owners.values())))
    return {
        member.pk: profiles[owners[member.record_id]]
        for member in members
        if owners.get(member.record_id) in profiles and first[owners[member.record_id]] == member.record_id
    }
