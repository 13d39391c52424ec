"""Sources: the systems of the company that send data, and the keys that let them."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MinValueValidator
from django.db import models
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from cdp_site.core.models import Department
from cdp_site.core.personal_data import NONE, Classification
from ingestion.querysets import SourceQuerySet
from ingestion.tracking.origins import check_origin


class Source(models.Model):
    """One row: a system of the company that sends data. Written in the admin or by `create_source`; deactivated
    rather than deleted, since records keep pointing to it."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE}

    class Kind(models.TextChoices):
        SHOP = "shop", _("web shop")
        APP = "app", _("mobile app")
        POS = "pos", _("point of sale")
        CALL_CENTRE = "call_centre", _("call centre")
        LINE = "line", _("LINE")
        CRM = "crm", _("CRM")
        OTHER = "other", _("other")
        INTERNAL = "internal", _("this platform")  # agents' edits, exports

    slug = models.SlugField(_("short name"), unique=True)  # also the namespace of its ids
    name = models.CharField(_("name"), max_length=100)
    kind = models.CharField(_("kind"), max_length=20, choices=Kind.choices, default=Kind.OTHER)
    department = models.ForeignKey(
        Department,
        verbose_name=_("department"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        help_text=_("Empty: every department sees it."),
    )
    trust_rank = models.PositiveSmallIntegerField(
        _("trust rank"), default=50, help_text=_("1 is trusted most; the golden record prefers the lower number.")
    )
    phone_region = models.CharField(_("phone region"), max_length=2, default="TH")
    is_active = models.BooleanField(_("active"), default=True)
    allowed_origins = ArrayField(
        models.CharField(max_length=255, validators=[check_origin]),
        verbose_name=_("web pages that may send"),
        default=list,
        blank=True,
        help_text=_(
            "Origins, separated by commas: https://shop.example.com. Pages of other origins are refused; empty: no "
            "page of another origin may read an answer, and public keys work from apps and servers alone."
        ),
    )
    rate_per_second = models.PositiveIntegerField(
        _("messages a second"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("What is above it is asked to come again later (429). Empty: the platform's default."),
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = SourceQuerySet.as_manager()

    class Meta:
        verbose_name = _("source")
        verbose_name_plural = _("sources")
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        """As people read it: this platform's own source is called in the reader's language."""
        return capfirst(self.get_kind_display()) if self.kind == self.Kind.INTERNAL else self.name


class WriteKey(models.Model):
    """One row: a key that lets a system write to a source. Shown once when made; only prefix and hash are kept.

    Written by `keys.make`; a revoked one stays as the record of who could write when."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE}

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="write_keys")
    prefix = models.CharField(max_length=12)
    secret_hash = models.BinaryField(max_length=32, unique=True)  # SHA-256: the key itself has 256 random bits
    is_public = models.BooleanField(default=False)  # sits in a browser: may add behaviour, never join people
    created_at = models.DateTimeField(auto_now_add=True)
    revoked_at = models.DateTimeField(null=True, blank=True)


class SendingRate(models.Model):
    """One row: how far a source with a limit has sent ahead of it. Written by `rate_limits`; unlogged, since after a
    crash every source may start anew.

    The source has used up its rate until `used_until`: a moment in the past means that it sends less than it may."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE}

    source = models.OneToOneField(Source, on_delete=models.CASCADE, primary_key=True, related_name="sending_rate")
    used_until = models.DateTimeField()
