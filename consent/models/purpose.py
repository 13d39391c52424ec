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
    """One row: a purpose for which data may be used, with its legal basis. Written in the admin and on the page
    of purposes; what people read when they are asked is in its notices."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE}

    class Basis(models.TextChoices):
        """Legal bases of PDPA s.24 (GDPR Art. 6): only `consent` needs a grant, all obey an objection except
        `legal_obligation`."""

        CONSENT = "consent", _("consent")
        CONTRACT = "contract", _("contract")
        LEGITIMATE_INTEREST = "legitimate_interest", _("legitimate interest")
        LEGAL_OBLIGATION = "legal_obligation", _("legal obligation")

    class Young(models.TextChoices):
        """Whose consent counts for somebody between ten and twenty (PDPA s.20 with s.22 to s.24 of the Civil and
        Commercial Code); below that it is always a guardian's. The ages are settings."""

        GUARDIAN = "guardian", _("A parent or guardian consents")
        OWN = "own", _("Their own consent is enough: something that a minor may do alone")

    slug = models.SlugField(_("short name"), unique=True)
    name = models.CharField(_("name"), max_length=100)
    name_th = models.CharField(_("name in Thai"), max_length=100, blank=True)
    description = models.CharField(_("description"), max_length=300, blank=True)
    description_th = models.CharField(_("description in Thai"), max_length=300, blank=True)
    basis = models.CharField(_("legal basis"), max_length=20, choices=Basis.choices, default=Basis.CONSENT)
    months = models.PositiveSmallIntegerField(
        _("consent holds for (months)"), null=True, blank=True, help_text=_("Empty: until it is withdrawn.")
    )
    young = models.CharField(_("minors"), max_length=10, choices=Young.choices, default=Young.GUARDIAN)
    is_sharing = models.BooleanField(
        _("sale or sharing of data"), default=False, help_text=_("A browser that sends Sec-GPC: 1 refuses it (CCPA).")
    )
    is_active = models.BooleanField(_("active"), default=True)
    position = models.PositiveSmallIntegerField(_("position"), default=100)

    class Meta:
        verbose_name = _("purpose")
        verbose_name_plural = _("purposes")
        ordering: ClassVar = ["position", "slug"]

    def __str__(self) -> str:
        return self.name_th if get_language() == "th" and self.name_th else self.name

    @property
    def about(self) -> str:
        """The description in the reader's language."""
        return self.description_th if get_language() == "th" and self.description_th else self.description
