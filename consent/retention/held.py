"""Whose data no rule removes: people with an open request or a restriction (PDPA s.34), or of whom a row is held."""

from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce

from consent.models import DataSubjectRequest, LegalHold
from profiles.models import Profile


def profiles() -> "QuerySet[Profile, int]":
    """Keys of the live profiles, as a subquery. Requests and holds name the profile that the person had then."""
    asked = DataSubjectRequest.objects.filter(
        Q(blocks=True) | Q(status__in=DataSubjectRequest.OPEN), subject__isnull=False
    )
    held = LegalHold.objects.in_force().filter(subject__isnull=False)
    named = Profile.objects.filter(Q(public_id__in=asked.values("subject")) | Q(public_id__in=held.values("subject")))
    return named.annotate(live=Coalesce(F("redirect_to"), F("pk"))).values_list("live", flat=True)
