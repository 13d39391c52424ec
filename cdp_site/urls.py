"""Every address of the product; each app brings its own list."""

from django.contrib import admin
from django.urls import include, path
from drf_spectacular.views import SpectacularJSONAPIView

from cdp_site import views
from cdp_site.core import styleguide
from cdp_site.core.access import Permission, admin_gate, public

handler403 = "cdp_site.views.permission_denied"
handler404 = "cdp_site.views.page_not_found"
handler500 = "cdp_site.views.server_error"

admin_gate(admin.site, Permission.MANAGE_CONFIGURATION)

urlpatterns = [
    path("", views.home, name="home"),
    path("", include("cdp_site.core.login.urls")),
    path("", include("cdp_site.core.machines.urls")),
    path("", include("cdp_site.operations.backup.urls")),
    path("language/", views.set_language, name="set_language"),
    path("display/", views.set_display, name="set_display"),
    path("styleguide", styleguide.show, name="style"),
    path("palette/", views.find_anything, name="palette"),
    path("healthz", views.healthz, name="healthz"),
    path("api/schema", public(SpectacularJSONAPIView.as_view()), name="schema"),
    path("", include("ingestion.urls")),
    path("", include("profiles.urls")),
    path("", include("consent.urls")),
    path("", include("segments.urls")),
    path("admin/", admin.site.urls),
]
