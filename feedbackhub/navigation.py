"""Where one can go from here: the top bar of our pages and the sidebar of the admin."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import NoReverseMatch, ResolverMatch, reverse

from curation.models import Membership, Project
from feedbackhub.core.models import User
from feedbackhub.core.roles import CAPABILITIES, Can, Role

# Title, name of the address (and prefix of the names below it), and what opens it.
PAGES = (
    ("Intake", "intake", Can.VIEW, "move_to_inbox"),
    ("Review", "review", Can.REVIEW, "rate_review"),
    ("Samples", "samples", Can.CURATE, "database"),
    ("Quality", "quality", Can.CURATE, "verified"),
    ("Groups", "groups", Can.CURATE, "groups"),
    ("Training", "training", Can.VIEW, "model_training"),
    ("Rollouts", "rollouts", Can.VIEW, "alt_route"),
)
ICONS = {
    "core": "group",
    "curation": "fact_check",
    "training": "model_training",
    "rollout": "alt_route",
    "django_celery_beat": "schedule",
    "rest_framework_api_key": "key",
}


@dataclass(frozen=True)
class Link:
    """One place to go."""

    title: str
    url: str
    is_current: bool = False
    is_demo: bool = False


@dataclass(frozen=True)
class Seat:
    """A project as one person sees it."""

    project: Project
    role: Role


class Shell:
    """What the top bar shows; asks the database once, and only on pages that show it."""

    def __init__(self, user: Any, match: ResolverMatch | None) -> None:
        self._user = user
        self._match = match

    @cached_property
    def seats(self) -> list[Seat]:
        """The projects the user sees, with the user's role in each."""
        return seats_of(self._user) if isinstance(self._user, User) else []

    @cached_property
    def seat(self) -> Seat | None:
        """The project in the address, else the first one."""
        slug = self._match.kwargs.get("project") if self._match else None
        named = next((each for each in self.seats if each.project.slug == slug), None)
        return named or next(iter(self.seats), None)

    @property
    def project(self) -> Project | None:
        """The current project."""
        return self.seat.project if self.seat else None

    @property
    def role(self) -> str:
        """The user's role in the current project, in words."""
        return self.seat.role.label if self.seat else ""

    @property
    def project_links(self) -> list[Link]:
        """The same page for each project, or home where the page belongs to one object."""
        return [
            Link(each.project.name, self._same_page(each), each is self.seat, each.project.is_demo)
            for each in self.seats
        ]

    @property
    def nav(self) -> list[Link]:
        """The main navigation for the current project and the user's role in it."""
        here = (self._match.view_name or "") if self._match else ""
        links = [Link("Home", reverse("home"), here == "home")]
        if self.seat:
            links += page_links(self.seat, here)
        if self._has_admin():
            links.append(Link("Admin", reverse("admin:index")))
        return links

    def _has_admin(self) -> bool:
        """Whether the admin would show this person anything."""
        configures = any(Can.CONFIGURE in CAPABILITIES[seat.role] for seat in self.seats)
        return self._user.is_staff and (self._user.is_superuser or configures)

    def _same_page(self, seat: Seat) -> str:
        match = self._match
        if match and set(match.kwargs) == {"project"} and match.view_name:
            return reverse(match.view_name, kwargs={"project": seat.project.slug})
        return reverse("home")


def shell(request: HttpRequest) -> dict[str, Shell]:
    """Context processor: ``shell`` for templates/hub/base.html."""
    return {"shell": Shell(getattr(request, "user", None), request.resolver_match)}


def seats_of(user: User) -> list[Seat]:
    """The projects ``user`` sees, by name; one query."""
    if user.is_superuser:
        return [Seat(each, Role.ADMIN) for each in Project.objects.order_by("name")]
    memberships = Membership.objects.filter(user=user).select_related("project")
    return [Seat(each.project, Role(each.role)) for each in memberships.order_by("project__name")]


def page_links(seat: Seat, here: str = "") -> list[Link]:
    """The project's pages that the role may open; ``here`` is the name of the current address."""
    allowed = CAPABILITIES[seat.role]
    links = []
    for title, name, capability, _ in PAGES:
        url = page_address(name, seat.project)
        if url and capability in allowed:
            links.append(Link(title, url, here == name or here.startswith(f"{name}-")))
    return links


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """The admin's sidebar: our pages first, then every model the user may open, by room."""
    user = request.user
    groups: list[dict[str, Any]] = [
        # Every address begins with home's, which is not what "active" means.
        {"items": [{"title": "Home", "icon": "home", "link": reverse("home"), "active": False}]}
    ]
    if isinstance(user, User):
        groups += [_project_group(each) for each in seats_of(user)[:5]]
    for app in admin.site.get_app_list(request):
        items = [
            {"title": model["name"], "link": model["admin_url"]}
            for model in app["models"]
            if model["admin_url"]
        ]
        icon = ICONS.get(app["app_label"], "database")
        items = [{**item, "icon": icon} for item in items]
        groups.append(
            {"title": app["name"], "items": items, "collapsible": True, "separator": True}
        )
    return groups


def _project_group(seat: Seat) -> dict[str, Any]:
    icons = {title: icon for title, _, _, icon in PAGES}
    items = [
        {"title": link.title, "link": link.url, "icon": icons[link.title]}
        for link in page_links(seat)
    ]
    if Can.CONFIGURE in CAPABILITIES[seat.role]:
        url = page_address("privacy", seat.project)
        items.append({"title": "Privacy", "link": url, "icon": "shield_person"})
    return {"title": seat.project.name, "items": items, "separator": True}


def page_address(name: str, project: Project) -> str:
    """The address of a project's page, empty when this hub has no such page."""
    try:
        return reverse(name, kwargs={"project": project.slug})
    except NoReverseMatch:
        return ""
