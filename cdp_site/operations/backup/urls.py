"""Addresses of the backups."""

from django.urls import path

from cdp_site.operations.backup import views

urlpatterns = [
    path("backups/", views.show, name="backups"),
    path("backups/make/", views.make, name="make_backup"),
]
