"""The shapes of answers, for the OpenAPI document."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from backend.cases.models import Category, Flag, Photo
from backend.cases.photo_headers import MOST_PHOTOS
from backend.cases.workflow import CREW_MAY, OPEN, Status
from mobile_api.fields import FARTHEST_ACCURACY_METRES, LONGEST_SECONDS, PHONE_NUMBER

OPEN_STATUSES = sorted(OPEN)
STEPS_OF_CREWS = [(status, Status(status).label) for status in sorted(CREW_MAY)]


@extend_schema_field(
    {
        "type": "object",
        "required": ["type", "coordinates"],
        "properties": {
            "type": {"type": "string", "const": "Point"},
            "coordinates": {
                "type": "array",
                "description": "Longitude, latitude: degrees, WGS 84.",
                "items": {"type": "number"},
                "minItems": 2,
                "maxItems": 2,
            },
        },
    }
)
class GeoJSONPoint(serializers.JSONField):
    pass


@extend_schema_field({"type": "string", "format": "binary"})
class PhotoUpload(serializers.FileField):
    pass


def photo_uploads() -> serializers.ListField:
    return serializers.ListField(
        child=PhotoUpload(),
        required=False,
        max_length=MOST_PHOTOS,
        help_text="JPEG, PNG or WebP (HEIC where it is installed), up to 12 MB and 50 megapixels each.",
    )


class NamedSchema(serializers.Serializer[Any]):
    code = serializers.CharField()
    name = serializers.CharField()


class NeighbourSchema(NamedSchema):
    distance = serializers.FloatField(help_text="metres")


class ContactSchema(serializers.Serializer[Any]):
    """A name, and a phone or an e-mail address."""

    name = serializers.CharField(max_length=160)
    phone = serializers.RegexField(PHONE_NUMBER, max_length=30, required=False)
    email = serializers.EmailField(required=False)


class ReportInBothSchema(serializers.Serializer[Any]):
    id = serializers.UUIDField(help_text="Made by the phone, one per report.")
    category = serializers.CharField(max_length=8)
    accuracy = serializers.FloatField(
        required=False,
        allow_null=True,
        min_value=0,
        max_value=FARTHEST_ACCURACY_METRES,
        help_text="metres",
    )
    captured_at = serializers.DateTimeField(
        required=False, allow_null=True, help_text="The phone's time."
    )
    description = serializers.CharField(required=False, max_length=4000)
    place_hint = serializers.CharField(required=False, max_length=300)
    act = serializers.ChoiceField(
        Category.Act.choices, required=False, help_text="The category's, if absent."
    )
    consent = serializers.CharField(
        required=False,
        max_length=40,
        help_text="Version of the text accepted; required with a contact.",
    )
    language = serializers.ChoiceField(["es", "en"], default="es")
    district = serializers.CharField(
        required=False,
        max_length=4,
        help_text="The side that was chosen: the place's own district or `near_border`.",
    )
    website = serializers.CharField(
        required=False, max_length=300, help_text="Left empty."
    )
    elapsed = serializers.FloatField(
        required=False,
        allow_null=True,
        min_value=0,
        max_value=LONGEST_SECONDS,
        help_text="Seconds that the form was open.",
    )


class ReportSchema(ReportInBothSchema):
    location = GeoJSONPoint()
    contact = ContactSchema(required=False, allow_null=True)


class ReportFormSchema(ReportInBothSchema):
    """The same in a form: `location` and `contact` are JSON texts."""

    location = serializers.CharField(help_text="A GeoJSON Point.")
    contact = serializers.CharField(required=False, help_text="A JSON object.")
    photo = photo_uploads()


class PlaceSchema(serializers.Serializer[Any]):
    province = NamedSchema()
    district = NamedSchema()
    corregimiento = NamedSchema(allow_null=True)
    snapped = serializers.FloatField(
        required=False, help_text="metres outside the outline"
    )
    near_border = NeighbourSchema(required=False)


class FiledSchema(PlaceSchema):
    number = serializers.CharField()
    pin = serializers.CharField()
    status = serializers.ChoiceField(Status.choices)
    category = serializers.CharField()
    category_name = serializers.CharField()
    entity = NamedSchema(allow_null=True)
    filed_at = serializers.DateTimeField()
    due_at = serializers.DateTimeField()
    url = serializers.URLField()


class HistoryLineSchema(serializers.Serializer[Any]):
    status = serializers.ChoiceField(Status.choices)
    status_name = serializers.CharField()
    note = serializers.CharField()
    changed_at = serializers.DateTimeField()


class UploadSchema(serializers.Serializer[Any]):
    """How much of a photo has arrived; all of it once it is no longer `uploading`."""

    id = serializers.UUIDField()
    size = serializers.IntegerField(help_text="bytes; 0 while nothing is known of it")
    received = serializers.IntegerField(help_text="bytes: where to go on")
    state = serializers.ChoiceField(Photo.State.choices)
    sha256 = serializers.CharField(allow_blank=True, help_text="In hex.")


class PhotoSchema(serializers.Serializer[Any]):
    """A photo that is shown; to its reporter also one that is not ready, without links."""

    id = serializers.UUIDField()
    state = serializers.ChoiceField(Photo.State.choices)
    url = serializers.URLField(allow_null=True)
    thumbnail = serializers.URLField(allow_null=True)
    width = serializers.IntegerField()
    height = serializers.IntegerField()
    of = serializers.ChoiceField(Status.choices)


class CaseSchema(PlaceSchema):
    number = serializers.CharField()
    version = serializers.IntegerField(help_text="Of the history: see `If-Match`.")
    status = serializers.ChoiceField(Status.choices)
    status_name = serializers.CharField()
    open = serializers.BooleanField()
    category = serializers.CharField()
    category_name = serializers.CharField()
    group = serializers.CharField()
    description = serializers.CharField()
    entity = NamedSchema(allow_null=True)
    location = GeoJSONPoint(allow_null=True)
    precision = serializers.ChoiceField(Category.Precision.choices)
    filed_at = serializers.DateTimeField()
    due_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    resolved_at = serializers.DateTimeField(allow_null=True)
    history = HistoryLineSchema(many=True)
    photos = PhotoSchema(many=True)
    supports = serializers.IntegerField(help_text="How many others it affects too.")
    demo = serializers.BooleanField()
    url = serializers.URLField()


class OwnHistoryLineSchema(HistoryLineSchema):
    note = serializers.CharField(help_text="As it was written.")


class KeptContactSchema(serializers.Serializer[Any]):
    """What the reporter said of themselves; what they did not say is empty."""

    name = serializers.CharField()
    phone = serializers.CharField()
    email = serializers.CharField()


class OwnContactSchema(KeptContactSchema):
    consent = serializers.CharField()
    unavailable = serializers.BooleanField(
        required=False, help_text="It is kept, but cannot be read now: all is empty."
    )


class PossibleSchema(serializers.Serializer[Any]):
    """What the reporter could do now."""

    confirm = serializers.BooleanField()
    reopen = serializers.BooleanField()
    answer = serializers.BooleanField()
    cancel = serializers.BooleanField()


class OwnCaseSchema(CaseSchema):
    """What the PIN opens: the exact place, the words as written, the contact."""

    location = GeoJSONPoint()
    place_hint = serializers.CharField()
    act = serializers.ChoiceField(Category.Act.choices)
    accuracy = serializers.FloatField(allow_null=True, help_text="metres")
    captured_at = serializers.DateTimeField(allow_null=True)
    history = OwnHistoryLineSchema(many=True)
    contact = OwnContactSchema(allow_null=True)
    can = PossibleSchema()
    question = serializers.CharField(
        allow_null=True, help_text="What the reporter is asked, while it waits."
    )


class SimilarCaseSchema(serializers.Serializer[Any]):
    number = serializers.CharField()
    category = serializers.CharField()
    category_name = serializers.CharField()
    status = serializers.ChoiceField(Status.choices)
    status_name = serializers.CharField()
    distance = serializers.FloatField(help_text="metres to the public point")
    filed_at = serializers.DateTimeField()
    supports = serializers.IntegerField()
    description = serializers.CharField(help_text="Its beginning.")
    thumbnail = serializers.URLField(allow_null=True)
    url = serializers.URLField()


class SimilarSchema(serializers.Serializer[Any]):
    cases = SimilarCaseSchema(many=True)
    radius = serializers.IntegerField(help_text="metres")


class SupportSchema(serializers.Serializer[Any]):
    id = serializers.UUIDField(help_text="Made by the phone; counted once per phone.")


class SupportedSchema(serializers.Serializer[Any]):
    supports = serializers.IntegerField()
    following = serializers.BooleanField()


class FollowSchema(serializers.Serializer[Any]):
    id = serializers.UUIDField(help_text="Made by the phone; what is last said holds.")
    on = serializers.BooleanField()
    email = serializers.EmailField(
        required=False,
        max_length=254,
        help_text="Who reads it is asked by mail; nothing is sent before they say yes.",
    )


class FollowingSchema(serializers.Serializer[Any]):
    following = serializers.BooleanField(help_text="This phone.")
    email_pending = serializers.BooleanField()


class FlagSchema(serializers.Serializer[Any]):
    id = serializers.UUIDField(help_text="Made by the phone, one per flag.")
    reason = serializers.ChoiceField(Flag.Reason.choices)
    note = serializers.CharField(required=False, max_length=1000)
    photo = serializers.UUIDField(
        required=False, allow_null=True, help_text="A photo's `id`."
    )


class FlaggedSchema(serializers.Serializer[Any]):
    flagged = serializers.BooleanField()


class StepSchema(serializers.Serializer[Any]):
    id = serializers.UUIDField(help_text="Made by the phone, one per step.")
    note = serializers.CharField(required=False, max_length=4000)


class NotedStepSchema(StepSchema):
    note = serializers.CharField(max_length=4000)


class SteppedSchema(serializers.Serializer[Any]):
    number = serializers.CharField()
    status = serializers.ChoiceField(Status.choices)
    status_name = serializers.CharField()
    version = serializers.IntegerField()
    changed_at = serializers.DateTimeField()


class NearPropertiesSchema(serializers.Serializer[Any]):
    number = serializers.CharField()
    category = serializers.CharField()
    category_name = serializers.CharField()
    status = serializers.ChoiceField(OPEN_STATUSES)
    version = serializers.IntegerField(help_text="For `If-Match`, in quotes.")
    description = serializers.CharField()
    place_hint = serializers.CharField()
    filed_at = serializers.DateTimeField()
    due_at = serializers.DateTimeField()
    distance = serializers.FloatField(help_text="metres")


class NearSchema(serializers.Serializer[Any]):
    type = serializers.ChoiceField(["Feature"])
    id = serializers.CharField()
    geometry = GeoJSONPoint()
    properties = NearPropertiesSchema()


class NearbySchema(serializers.Serializer[Any]):
    type = serializers.ChoiceField(["FeatureCollection"])
    features = NearSchema(many=True)
    next = serializers.URLField(allow_null=True, help_text="The next page.")


class TransitionSchema(serializers.Serializer[Any]):
    id = serializers.UUIDField(help_text="Made by the phone, one per transition.")
    to = serializers.ChoiceField(STEPS_OF_CREWS)
    note = serializers.CharField(required=False, max_length=4000)
    at = serializers.DateTimeField(
        required=False, allow_null=True, help_text="The phone's time."
    )


class TransitionFormSchema(TransitionSchema):
    photo = photo_uploads()


class ChangedSchema(serializers.Serializer[Any]):
    number = serializers.CharField()
    status = serializers.ChoiceField(Status.choices)
    status_name = serializers.CharField()
    note = serializers.CharField()
    at = serializers.DateTimeField(allow_null=True)
    changed_at = serializers.DateTimeField()
    version = serializers.IntegerField()


class RuleSchema(serializers.Serializer[Any]):
    level = serializers.CharField()
    place = serializers.CharField()
    entity = NamedSchema()
    valid_from = serializers.DateField(allow_null=True)
    valid_to = serializers.DateField(allow_null=True)
    legal_basis = serializers.CharField()
    note = serializers.CharField()
    confirmed = serializers.BooleanField()
    outcome = serializers.CharField()
    why = serializers.CharField()


class ExplanationSchema(serializers.Serializer[Any]):
    category = serializers.CharField()
    duty = serializers.CharField()
    day = serializers.DateField()
    place = PlaceSchema()
    considered = RuleSchema(many=True)
    winner = RuleSchema(allow_null=True)
    second_best = RuleSchema(allow_null=True)
    nearest_border = NeighbourSchema(allow_null=True)
