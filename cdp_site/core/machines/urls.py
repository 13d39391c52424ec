"""Addresses of the keys for programs."""

from django.urls import path

from cdp_site.core.machines import views

urlpatterns = [
    path("access/keys/", views.list_keys, name="machine_keys"),
    path("access/keys/new/", views.make, name="new_machine_key"),
    path("access/keys/<int:key_id>/rotate/", views.rotate, name="rotate_machine_key"),
    path("access/keys/<int:key_id>/revoke/", views.revoke, name="revoke_machine_key"),
]
