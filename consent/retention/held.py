"""Whose data no rule removes: people with an open request, under a restriction (PDPA s.34), or whom a hold is about."""

from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce

from consent.models import DataSubjectRequest
from profiles.models import Profile


def profiles() -> "QuerySet[Profile, int]":
    """Keys of the live profiles, as a subquery. A request names the profile that the person had when they asked."""
    asked = DataSubjectRequest.objects.filter(
        Q(blocks=True) | Q(status__in=DataSubjectRequest.OPEN), subject__isnull=False
    )
    named = Profile.objects.filter(public_id__in=asked.values("subject"))
    return named.annotate(live=Coalesce(F("redirect_to"), F("pk"))).values_list("live", flat=True)
