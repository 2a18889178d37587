"""Content-security policies of pages that cannot live under the strict default."""

from collections.abc import Callable

from csp.constants import SELF, UNSAFE_EVAL, UNSAFE_INLINE
from django.http import HttpRequest, HttpResponse

# Unfold's Alpine evaluates its attributes and writes inline styles.
ADMIN_POLICY = {"script-src": [SELF, UNSAFE_EVAL], "style-src": [SELF, UNSAFE_INLINE]}


class AdminPolicyMiddleware:
    """Gives the admin's pages, and only those, what unfold needs.

    Stands after (inside) the CSP middleware, which reads the mark on the way out.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Mark answers of the admin's addresses."""
        response = self.get_response(request)
        match = request.resolver_match
        if match and match.app_name == "admin" and not hasattr(response, "_csp_replace"):
            response._csp_replace = ADMIN_POLICY  # type: ignore[attr-defined] # django-csp's mark
        return response
