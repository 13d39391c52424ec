"""Addresses of calls; among those of the profiles app."""

from django.urls import path

from profiles.api import telephony
from profiles.views import calling, occasion

urlpatterns = [
    path("pop/<str:token>", calling.pop, name="pop"),
    path("call/", calling.show, name="call"),
    path("call/customer/", calling.choose, name="choose_caller"),
    path("call/check/", calling.check, name="check_caller"),
    path("call/new/", calling.create, name="create_customer"),
    path("call/end/", calling.end, name="end_call"),
    path("customers/strip/", calling.show_strip, name="strip"),
    path("customers/<uuid:public_id>/occasion/", occasion.show, name="occasion"),
    path("api/v1/calls", telephony.announce, name="api_calls"),
]
