"""The labels of a project as its form edits them: what rests on a name keeps it."""

from __future__ import annotations  # Generic in the stubs alone.

from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.forms import BaseInlineFormSet, ModelForm

from curation.models import Annotation, Label, LabelOption, Prediction, Project

if TYPE_CHECKING:
    _Form = ModelForm[LabelOption]
    _FormSet = BaseInlineFormSet[LabelOption, Project, "LabelOptionForm"]
else:
    _Form, _FormSet = ModelForm, BaseInlineFormSet


class LabelOptionForm(_Form):
    """A label; its name is fixed once it is stored."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].disabled = self.instance.pk is not None


class LabelOptionFormSet(_FormSet):
    """The labels of a project; one that something carries is not deleted."""

    def clean(self) -> None:
        """Refuse to delete a label that is in use."""
        super().clean()
        for form in self.deleted_forms:
            if form.instance.pk and _is_used(form.instance):
                raise ValidationError(f"“{form.instance.name}” is in use and cannot be deleted.")


def _is_used(option: LabelOption) -> bool:
    project, name = option.project_id, option.name
    return (
        Label.objects.filter(sample__project_id=project, value=name).exists()
        or Annotation.objects.filter(sample__project_id=project, value=name).exists()
        or Prediction.objects.filter(project_id=project, label=name).exists()
    )
