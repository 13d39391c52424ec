"""Forms of the pages about access."""

from django import forms
from django.utils.translation import gettext_lazy as _

from cdp_site.core import stand_in
from cdp_site.core.models import Department


class ChangeForm(forms.Form):
    """The button of one cell."""

    sees = forms.ChoiceField(choices=[("yes", ""), ("no", "")])


class ViewAsForm(forms.Form):
    """With whose eyes to look."""

    role = forms.ChoiceField(label=_("Role"), choices=[(role.value, role.label) for role in stand_in.ROLES])
    department = forms.ModelChoiceField(
        label=_("Department"), queryset=Department.objects.order_by("name"), required=False, empty_label=_("none")
    )
