"""The platform's addresses, and one that does nothing: the limit of every other one on the same server."""

from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt

from cdp_site.core.access import public


@public
@csrf_exempt
def nothing(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


urlpatterns = [path("nothing", nothing), path("", include("cdp_site.urls"))]
