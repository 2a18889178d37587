"""Home: how is the loop doing, for each project of the person who asks."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


@login_required
def home(request: HttpRequest) -> HttpResponse:
    """The loop of every project the user sees; strangers sign in first."""
    return render(request, "hub/home.html", {})
