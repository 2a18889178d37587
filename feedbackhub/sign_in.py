"""The one sign-in page: unfold's, open to everyone who has an account."""

from django.contrib.auth.forms import AuthenticationForm as DjangoAuthenticationForm
from unfold.forms import AuthenticationForm

from feedbackhub.core.models import User


class SignInForm(AuthenticationForm):
    """Annotators sign in here too; what the admin shows still asks for ``is_staff``."""

    def confirm_login_allowed(self, user: User) -> None:
        """Any active account may sign in (the admin's own form would refuse those not staff)."""
        DjangoAuthenticationForm.confirm_login_allowed(self, user)
