"""Forms of registration and of the decision. Each says beside the field what is wrong."""

from __future__ import annotations

from typing import Any, Final

from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    PasswordField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
    ValidationError,
)
from wtforms.fields.choices import SelectChoice

from portal.accounts.passwords import weakness
from portal.core.i18n import lazy
from portal.core.identifiers import check_phone, sentence
from portal.residents.documents import check_document, clean_name, name_problem
from portal.residents.models import DocumentType, Relation

DOCUMENTS: Final = {
    DocumentType.RESIDENT_ID: lazy("Resident identity card"),
    DocumentType.PASSPORT: lazy("Passport"),
    DocumentType.HONGKONG_MACAO: lazy("Permit for Hong Kong and Macao residents"),
    DocumentType.TAIWAN: lazy("Permit for Taiwan residents"),
}
RELATIONS: Final = {
    Relation.OWNER: lazy("Owner"),
    Relation.TENANT: lazy("Tenant"),
    Relation.FAMILY: lazy("Family of the owner or tenant"),
    Relation.EMPLOYEE: lazy("Works here"),
}


def _choices(names: dict[Any, Any]) -> list[SelectChoice]:
    return [SelectChoice(member.value, label) for member, label in names.items()]


def _check_phone(field: Any) -> None:
    checked = check_phone(field.data)
    if not checked.valid:
        raise ValidationError(sentence(checked))
    field.data = checked.value


class ConsentForm(FlaskForm):  # type: ignore[misc]  # flask_wtf is not followed
    """The box to tick under the consent text."""

    agree = BooleanField(lazy("I have read this and agree."))

    def validate_agree(self, field: Any) -> None:
        """It must be ticked."""
        if not field.data:
            raise ValidationError(lazy("Without your agreement you cannot register here."))


class PersonForm(FlaskForm):  # type: ignore[misc]
    """Who you are."""

    name = StringField(lazy("Name"))
    phone = StringField(lazy("Mobile number"))

    def validate_name(self, field: Any) -> None:
        """Letters; surplus blanks go."""
        field.data = clean_name(field.data or "")
        problem = name_problem(field.data)
        if problem:
            raise ValidationError(problem)

    def validate_phone(self, field: Any) -> None:
        """A phone number."""
        _check_phone(field)


class DocumentForm(FlaskForm):  # type: ignore[misc]
    """The identity document."""

    document_type = RadioField(lazy("Document"), choices=_choices(DOCUMENTS), validate_choice=False)
    document_number = StringField(lazy("Document number"))

    def validate_document_type(self, field: Any) -> None:
        """One of those accepted."""
        if field.data not in set(DocumentType):
            raise ValidationError(lazy("Choose the kind of document."))

    def validate_document_number(self, field: Any) -> None:
        """As its type demands."""
        kind = self.document_type.data
        if kind not in set(DocumentType):
            kind = DocumentType.PASSPORT
        value, problem = check_document(DocumentType(kind), field.data or "")
        if problem:
            raise ValidationError(problem)
        field.data = value


class SecretForm(FlaskForm):  # type: ignore[misc]
    """A password. ``has_password`` is set when one was chosen before, ``about`` is what must not be in it."""

    password = PasswordField(lazy("Password"))
    confirm = PasswordField(lazy("Password again"))
    has_password = False
    about: tuple[str, ...] = ()

    def validate_password(self, field: Any) -> None:
        """Strong enough; may stay empty when one was chosen before."""
        if not field.data and self.has_password:
            return
        problem = weakness(field.data or "", *self.about)
        if problem:
            raise ValidationError(problem)

    def validate_confirm(self, field: Any) -> None:
        """The same twice."""
        if (field.data or "") != (self.password.data or ""):
            raise ValidationError(lazy("The two passwords are not the same. Enter them again."))


class CheckForm(FlaskForm):  # type: ignore[misc]
    """The button under the answers."""


class UnlockForm(FlaskForm):  # type: ignore[misc]
    """The number by which one goes on with a draft."""

    phone = StringField(lazy("Mobile number"))

    def validate_phone(self, field: Any) -> None:
        """A phone number."""
        _check_phone(field)


class DwellingForm(FlaskForm):  # type: ignore[misc]
    """Where you live, chosen step by step, and how you belong there."""

    building = SelectField(lazy("Building"), validate_choice=False)
    unit = SelectField(lazy("Unit"), validate_choice=False)
    dwelling = SelectField(lazy("Number"), validate_choice=False)
    relation = RadioField(
        lazy("How do you belong to it?"), choices=_choices(RELATIONS), validate_choice=False
    )

    def _must_be_listed(self, field: Any, problem: Any) -> None:
        if not field.data or field.data not in {choice.value for choice in field.choices}:
            raise ValidationError(problem)

    def validate_building(self, field: Any) -> None:
        """One of this community."""
        self._must_be_listed(field, lazy("Choose your building."))

    def validate_unit(self, field: Any) -> None:
        """One of this building."""
        self._must_be_listed(field, lazy("Choose your unit."))

    def validate_dwelling(self, field: Any) -> None:
        """One of this unit."""
        self._must_be_listed(field, lazy("Choose your dwelling from the list."))

    def validate_relation(self, field: Any) -> None:
        """One of those there are."""
        if field.data not in set(Relation):
            raise ValidationError(lazy("Choose how you belong to the dwelling."))


class DecisionForm(FlaskForm):  # type: ignore[misc]
    """The note to a decision; the button says which."""

    note = TextAreaField(lazy("Note to the resident"))
