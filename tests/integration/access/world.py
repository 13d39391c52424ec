"""A customer in whose every hidden field stands a canary: a text that is nowhere else."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from cdp_site.core.models import Department, User
from consent.models import ConsentEntry, Purpose
from ingestion.models import Source
from profiles import notes
from profiles.models import EventType, Membership, Profile, Touchpoint, Trait, TraitGroup
from segments import authoring
from segments.models import ComputedTrait, Segment, StaticList, StaticListMember
from segments.traits import keeping
from tests.customers import Tell, identify, profile_of, track
from tests.factories.exports import ask

# Field → the texts of which none may appear. National numbers also as they are kept and as they are read out.
CANARIES: dict[str, tuple[str, ...]] = {
    "phone": ("0891234871", "089 123 4871", "891234871"),
    "email": ("canary.direct@",),
    "birth_date": ("1987-03-29", "29 March 1987", "29 มี.ค. 2530", "29 Mar 1987"),
    "address": ("CanaryLane",),
    "line_id": ("Ucanaryline",),
    "member_id": ("CANARY-MEMBER",),
    "phone in a note": ("083-456-7129", "0834567129", "834567129"),
    "email in a touchpoint": ("canary.told@",),
    "trait of a source of marketing": ("CanaryOccupation",),
    "touchpoint of a source of marketing": ("CanaryViewed",),
    "order of a source of marketing": ("CANARY-ORDER",),
    "trait of a group of marketing": ("CanaryPet",),
    "touchpoint of a type of marketing": ("CanaryCampaign",),
    "note of marketing": ("CanaryPlan",),
    "touchpoint of a source of care": ("CanaryComplaint",),
    "note of care": ("CanaryPromise",),
    "sensitive trait": ("CanaryFaith",),
    "sensitive trait that a source has just invented": ("CanaryIllness",),
    "sensitive property of a touchpoint": ("CanaryDiagnosis",),
}


@dataclass(frozen=True)
class World:
    customer: Profile
    other: Profile
    segment: Segment
    export: UUID
    source: Source
    touchpoint: UUID
    department: Department
    trait: int
    static_list: UUID

    def arguments(self, names: set[str]) -> dict[str, Any]:
        """Something real for the parameters of an address, where there is something; else something plausible."""
        real: dict[str, Any] = {
            "public_id": self.customer.public_id,
            "identifier": str(self.customer.public_id),
            "other_id": self.other.public_id,
            "segment_id": self.segment.pk,
            "export_id": self.export,
            "source_id": self.source.pk,
            "touchpoint_id": self.touchpoint,
            "purpose": "marketing",
            "channel": "email",
            "trait": "email",
            "trait_id": self.trait,
            "list_id": self.static_list,
            "panel": "consent",
            "kind": "twice",
            "reason": "malformed",
            "department_id": self.department.pk,
            "container_id": self.source.pk,
            "action": "joined",
        }
        return {name: real[name] if name in real else _plausible(name) for name in names}


def _plausible(name: str) -> Any:
    return 7 if name in NUMBERS else ("x" if name in WORDS else UUID(int=7))


_NUMBERED = """alert recipient webhook key pull folder item label pair term factor script rule user"""
NUMBERS = frozenset({f"{name}_id" for name in _NUMBERED.split()} | {"version", "number"})
WORDS = frozenset({"token", "name", "provider_id", "language"})


def build(
    tell: Tell, *, web_shop: Source, pos: Source, call_centre: Source, marketer: User, agent: User, care: Department
) -> World:
    """Known to marketing's shop, care's call centre and a point of sale that everybody sees."""
    marketing = marketer.department
    pets = TraitGroup.objects.create(slug="pets", name="Pets", kind_of_data="descriptive", department=marketing)
    Trait.objects.create(name="pet", group=pets)
    EventType.objects.update_or_create(name="Campaign Joined", defaults={"department": marketing})
    contact: dict[str, Any] = {
        "phone": "0891234871",
        "email": "canary.direct@example.com",
        "birth_date": "1987-03-29",
        "line_id": "Ucanaryline0123456789",
        "member_id": "CANARY-MEMBER",
        "address": "99 CanaryLane",
    }
    tell(
        pos,
        identify("P1", firstName="Wichai", lastName="Thongdee", pet="CanaryPet", religion="CanaryFaith", **contact)
        | {"messageId": "one"},
        identify("P1", chronicIllness="CanaryIllness") | {"messageId": "two"},
        track("P1", "Campaign Joined", name="CanaryCampaign", title="CanaryCampaign"),
        track("P1", "Message Received", hours=1, text="write to canary.told@example.com", diagnosis="CanaryDiagnosis"),
        track("P1", "Consent Granted", hours=2, purpose="marketing", channel="email"),
        track("P1", "Email Delivered", hours=3, email_id="m1", subject="Offer", purpose="marketing"),
        identify("P2", firstName="Somsri", lastName="Thongdee", phone="0819998877"),
    )
    tell(
        web_shop,
        identify("W1", phone="0891234871", firstName="Wichai", lastName="Thongdee", occupation="CanaryOccupation"),
        track("W1", "Product Viewed", name="CanaryViewed"),
        track("W1", "Order Completed", hours=4, order_id="CANARY-ORDER", total=100, currency="THB"),
    )
    tell(
        call_centre,
        identify("C1", phone="0891234871", firstName="Wichai", lastName="Thongdee"),
        track("C1", "Call Ended", hours=5, reason="CanaryComplaint"),
    )
    customer = profile_of(pos, "P1")
    notes.add(profile=customer, text="CanaryPromise, call back at 083-456-7129", by=agent)
    notes.add(profile=customer, text="CanaryPlan", by=marketer)
    assert ConsentEntry.objects.exists()
    segment = authoring.create(
        name="Everybody",
        description="",
        department=marketing,
        definition={
            "version": 1,
            "where": {
                "kind": "all",
                "of": [{"kind": "attribute", "trait": "first_name", "operator": "known", "value": None}],
            },
        },
        by=marketer,
    )
    computed = [
        ComputedTrait.objects.create(
            slug=f"last_{property_name}",
            name=f"Last {property_name} of {event}",
            group=TraitGroup.objects.get(slug="behavioural"),
            definition=_last(event, property_name),
            data_type="text",
        )
        for event, property_name in (
            ("Product Viewed", "name"),  # of marketing's source
            ("Campaign Joined", "title"),  # of marketing's type
            ("Message Received", "diagnosis"),  # sensitive
            ("Call Ended", "reason"),  # of care's source
        )
    ]
    while keeping.refresh():
        pass
    return World(
        customer=customer,
        other=profile_of(pos, "P2"),
        segment=segment,
        export=ask(segment, Purpose.objects.get(slug="marketing"), "email", marketer).pk,
        source=pos,
        touchpoint=Touchpoint.objects.filter(type__name="Email Delivered").values_list("pk", flat=True).get(),
        department=care,
        trait=computed[0].pk,
        static_list=_listed(customer, marketer),
    )


def _listed(customer: Profile, marketer: User) -> UUID:
    """A list of marketing's that the customer is on."""
    made = StaticList.objects.create(name="Guests", department=marketer.department, created_by=marketer)
    records = Membership.objects.filter(profile=customer, valid_to__isnull=True).values_list("record", flat=True)
    StaticListMember.objects.bulk_create(StaticListMember(list=made, record_id=record) for record in records)
    return made.pk


def _last(event: str, property_name: str) -> dict[str, Any]:
    """The definition of a computed trait: the last value of a property."""
    return {
        "version": 2,
        "calculation": "last",
        "property": property_name,
        "per_channel": False,
        "where": {
            "kind": "any",
            "of": [
                {
                    "kind": "touchpoint",
                    "event": event,
                    "count": {"bound": "at_least", "n": 1},
                    "window": {"kind": "ever"},
                    "filters": [],
                }
            ],
        },
    }
