"""Every address of the hub."""

from django.contrib import admin
from django.templatetags.static import static
from django.urls import include, path
from django.views.generic import RedirectView

from feedbackhub.home import home
from feedbackhub.privacy_page import privacy_page
from feedbackhub.sample_page import sample_page
from feedbackhub.try_it import rate, try_index, try_page
from feedbackhub.value_page import value_live, value_page

urlpatterns = [
    path("", home, name="home"),
    path("try/", try_index, name="try-index"),
    path("try/<slug:project>/", try_page, name="try"),
    path("try/<slug:project>/rate/", rate, name="try-rate"),
    path("privacy/<slug:project>/", privacy_page, name="privacy"),
    path("samples/<slug:project>/<int:sample>/", sample_page, name="samples-sample"),
    path("quality/<slug:project>/value/", value_page, name="quality-value"),
    path("quality/<slug:project>/value/live/", value_live, name="quality-value-live"),
    path("admin/", admin.site.urls),
    # Asked for by browsers on pages that name no icon: the admin's, and bare JSON.
    path("favicon.ico", RedirectView.as_view(url=static("hub/mark.svg"))),
    path("api/", include("feedbackhub.api")),
    path("", include("curation.exchange.urls")),
    path("", include("curation.groups.urls")),
    path("", include("curation.intake.urls")),
    path("", include("curation.explorer.urls")),
    path("", include("curation.training_filter.urls")),
    path("", include("curation.review.urls")),
    path("", include("training.urls")),
    path("", include("rollout.urls")),
]

handler400 = "feedbackhub.api.bad_request"
handler404 = "feedbackhub.api.page_not_found"
handler500 = "feedbackhub.api.server_error"
