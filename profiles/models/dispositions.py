"""What came of a contact with a customer."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Disposition(models.TextChoices):
    """How a call or a message ended, as whoever took it says; a note without one is only a note."""

    ANSWERED = "answered", _("Answered")
    ORDERED = "ordered", _("Ordered")
    CALL_BACK = "call_back", _("Call back")
    COMPLAINT = "complaint", _("Complaint")
    NOT_REACHED = "not_reached", _("Not reached")
    WRONG_PERSON = "wrong_person", _("Wrong person")
