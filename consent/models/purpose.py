"""What customers' data may be used for."""

from typing import ClassVar

from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from cdp_site.core.personal_data import NONE, Classification


class Channel(models.TextChoices):
    EMAIL = "email", _("e-mail")
    SMS = "sms", _("SMS")
    PHONE = "phone", _("phone call")
    LINE = "line", _("LINE")
    PUSH = "push", _("app notification")
    POST = "post", _("post")


class Purpose(models.Model):
    """One row: a purpose for which data may be used, with its legal basis. Written in the admin."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE}

    class Basis(models.TextChoices):
        """Legal bases of PDPA s.24 (GDPR Art. 6): only `consent` needs a grant, all obey an objection except
        `legal_obligation`."""

        CONSENT = "consent", _("consent")
        CONTRACT = "contract", _("contract")
        LEGITIMATE_INTEREST = "legitimate_interest", _("legitimate interest")
        LEGAL_OBLIGATION = "legal_obligation", _("legal obligation")

    slug = models.SlugField(_("short name"), unique=True)
    name = models.CharField(_("name"), max_length=100)
    name_th = models.CharField(_("name in Thai"), max_length=100, blank=True)
    description = models.CharField(_("description"), max_length=300, blank=True)
    description_th = models.CharField(_("description in Thai"), max_length=300, blank=True)
    basis = models.CharField(_("legal basis"), max_length=20, choices=Basis.choices, default=Basis.CONSENT)
    is_active = models.BooleanField(_("active"), default=True)
    position = models.PositiveSmallIntegerField(_("position"), default=100)

    class Meta:
        verbose_name = _("purpose")
        verbose_name_plural = _("purposes")
        ordering: ClassVar = ["position", "slug"]

    def __str__(self) -> str:
        return self.name_th if get_language() == "th" and self.name_th else self.name
