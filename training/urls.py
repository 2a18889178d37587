"""Addresses of the training pages."""

from django.urls import path

from training import explain_views, views

urlpatterns = [
    path("training/<slug:project>/", views.training_page, name="training"),
    path("training/<slug:project>/retrain/", views.retrain, name="training-retrain"),
    path("training/<slug:project>/runs/<int:pk>/cancel/", views.cancel, name="training-cancel"),
    path(
        "training/<slug:project>/versions/<int:number>/",
        views.version_page,
        name="training-version",
    ),
    path("review/<slug:project>/items/<int:item>/words/", explain_views.item_words, name="explain"),
]
