"""How long what profiles hold is kept: rules, how far each has come, and what went by it."""

from typing import ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from cdp_site.core.personal_data import NONE, Classification
from profiles.models import EventType, TraitGroup

LEAST_DAYS, MOST_DAYS = 30, 36_500


class KeepingRule(models.Model):
    """One row: for how many days touchpoints of a type, values of a group of traits, or people without any sign of life
    are kept. Written by compliance on the page of retention (`consent.retention`); what is kept of raw data stands in
    ingestion.RetentionRule.

    A pass of a rule goes once through everything a day: `position` is how far it has come, `passed_on` the day on which
    it last came to the end.
    """

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE}

    class Kind(models.TextChoices):
        TOUCHPOINTS = "touchpoints", _("touchpoints of a type")
        TRAITS = "traits", _("values of a group of attributes")
        CUSTOMERS = "customers", _("customers without a sign of life")
        VISITORS = "visitors", _("unknown visitors without a sign of life")

    kind = models.CharField(_("what"), max_length=12, choices=Kind.choices)
    event_type = models.ForeignKey(
        EventType, verbose_name=_("type of touchpoint"), null=True, blank=True, on_delete=models.CASCADE
    )
    trait_group = models.ForeignKey(
        TraitGroup, verbose_name=_("group of attributes"), null=True, blank=True, on_delete=models.CASCADE
    )
    days = models.PositiveIntegerField(
        _("kept for (days)"), validators=[MinValueValidator(LEAST_DAYS), MaxValueValidator(MOST_DAYS)]
    )
    made_at = models.DateTimeField(auto_now_add=True)
    position = models.BigIntegerField(default=0)  # id of the last record or profile looked at in this pass
    passed_on = models.DateField(null=True)

    class Meta:
        ordering: ClassVar = ["kind", "event_type__name", "trait_group__position"]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="keeping_rule_of_its_kind",
                condition=models.Q(kind="touchpoints", event_type__isnull=False, trait_group__isnull=True)
                | models.Q(kind="traits", event_type__isnull=True, trait_group__isnull=False)
                | models.Q(kind__in=["customers", "visitors"], event_type__isnull=True, trait_group__isnull=True),
            ),
            models.UniqueConstraint(
                name="keeping_rule_once", fields=["kind", "event_type", "trait_group"], nulls_distinct=False
            ),
            models.CheckConstraint(name="keeping_rule_days", condition=models.Q(days__gte=LEAST_DAYS)),
        ]

    def __str__(self) -> str:
        of = self.event_type or self.trait_group
        return f"{self.get_kind_display()}: {of}" if of else self.get_kind_display()


class RemovedByRule(models.Model):
    """One row: how many touchpoints, values or people went by a rule on a day. Written in the transaction of the
    removal; goes with the rule, the audit keeps that something went."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE}

    rule = models.ForeignKey(KeepingRule, on_delete=models.CASCADE, related_name="removed")
    day = models.DateField()
    n = models.PositiveIntegerField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["rule", "day"], name="removed_by_rule_on_day")]
