"""What GeoReport v2 demands of each answer, written from the standard's own text.

Nothing may be there that the standard does not know: `EXTENDED` says what is added to a
request when extensions are asked for.
"""

from __future__ import annotations

from typing import Any

OFFSET = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d-05:00$"
TEXT = {"type": "string", "minLength": 1}
TEXT_OR_NULL = {"type": ["string", "null"], "minLength": 1}
MOMENT = {"type": "string", "pattern": OFFSET}
DEGREES_OR_NULL = {"type": ["number", "null"]}
LINK_OR_NULL = {"type": ["string", "null"], "pattern": "^https?://"}


def exactly(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": sorted(properties),
        "additionalProperties": False,
    }


def listed(item: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": item}


SERVICES = listed(
    exactly(
        {
            "service_code": TEXT,
            "service_name": TEXT,
            "description": TEXT_OR_NULL,
            "metadata": {"type": "boolean"},
            "type": {"enum": ["realtime", "batch", "blackbox"]},
            "keywords": {"type": "string"},
            "group": TEXT,
        }
    )
)
ATTRIBUTE = exactly(
    {
        "variable": {"type": "boolean"},
        "code": TEXT,
        "datatype": {
            "enum": [
                "string",
                "number",
                "datetime",
                "text",
                "singlevaluelist",
                "multivaluelist",
            ]
        },
        "required": {"type": "boolean"},
        "datatype_description": TEXT_OR_NULL,
        "order": {"type": "integer", "minimum": 1},
        "description": TEXT_OR_NULL,
        "values": listed(exactly({"key": TEXT, "name": TEXT})),
    }
)
DEFINITION = exactly({"service_code": TEXT, "attributes": listed(ATTRIBUTE)})
ROW: dict[str, Any] = {
    "service_request_id": TEXT,
    "status": {"enum": ["open", "closed"]},
    "status_notes": TEXT_OR_NULL,
    "service_name": TEXT,
    "service_code": TEXT,
    "description": TEXT_OR_NULL,
    "agency_responsible": TEXT_OR_NULL,
    "service_notice": TEXT_OR_NULL,
    "requested_datetime": MOMENT,
    "updated_datetime": MOMENT,
    "expected_datetime": MOMENT,
    "address": TEXT_OR_NULL,
    "address_id": TEXT_OR_NULL,
    "zipcode": TEXT_OR_NULL,
    "lat": DEGREES_OR_NULL,
    "long": DEGREES_OR_NULL,
    "media_url": LINK_OR_NULL,
}
REQUESTS = {**listed(exactly(ROW)), "maxItems": 1000}
PHOTO = exactly(
    {
        "media_url": {"type": "string", "pattern": "^https?://"},
        "thumbnail_url": {"type": "string", "pattern": "^https?://"},
        "width": {"type": "integer"},
        "height": {"type": "integer"},
        "of": TEXT_OR_NULL,
    }
)
EXTENDED = listed(
    exactly(
        {
            **ROW,
            "status_detail": TEXT,
            "attributes": listed(exactly({"code": TEXT, "value": TEXT})),
            "extended_attributes": exactly(
                {
                    "x": DEGREES_OR_NULL,
                    "y": DEGREES_OR_NULL,
                    "precision": {"enum": ["exact", "grid", "none"]},
                    "demo": {"type": "boolean"},
                    "url": {"type": "string", "pattern": "^https?://"},
                    "photos": listed(PHOTO),
                }
            ),
            "notes": listed(
                exactly({"datetime": MOMENT, "description": TEXT, "type": TEXT})
            ),
        }
    )
)
RECEIPT = {
    **listed(
        exactly(
            {
                "service_request_id": TEXT,
                "service_notice": TEXT_OR_NULL,
                "account_id": TEXT_OR_NULL,
            }
        )
    ),
    "minItems": 1,
    "maxItems": 1,
}
UPDATES = listed(
    exactly(
        {
            "update_id": TEXT,
            "service_request_id": TEXT,
            "status": {"type": "string", "pattern": "^[A-Z_]+$"},
            "external_status_code": TEXT,
            "updated_datetime": MOMENT,
            "description": TEXT,
            "media_url": LINK_OR_NULL,
        }
    )
)
UPDATE_RECEIPT = {
    **listed(exactly({"update_id": TEXT})),
    "minItems": 1,
    "maxItems": 1,
}
ERRORS = {
    **listed(
        exactly(
            {
                "code": {"type": "integer", "minimum": 400, "maximum": 599},
                "description": TEXT,
            }
        )
    ),
    "minItems": 1,
}
DISCOVERY = exactly(
    {
        "changeset": MOMENT,
        "contact": TEXT,
        "key_service": TEXT,
        "endpoints": listed(
            exactly(
                {
                    "specification": {"const": "http://wiki.open311.org/GeoReport_v2"},
                    "url": {"type": "string", "pattern": "^https?://.*[^/]$"},
                    "changeset": MOMENT,
                    "type": {"enum": ["production", "test"]},
                    "formats": {
                        "type": "array",
                        "items": {"enum": ["text/xml", "application/json"]},
                        "contains": {"const": "text/xml"},
                    },
                }
            )
        ),
    }
)
LOCATION = exactly(
    {
        "accepted": {"type": "boolean"},
        "address": TEXT_OR_NULL,
        "address_id": TEXT_OR_NULL,
    }
)
# The XML element around each of them.
ROOTS = [
    (SERVICES, "services"),
    (DEFINITION, "service_definition"),
    (REQUESTS, "service_requests"),
    (EXTENDED, "service_requests"),
    (RECEIPT, "service_requests"),
    (UPDATES, "service_request_updates"),
    (UPDATE_RECEIPT, "service_request_updates"),
    (ERRORS, "errors"),
    (DISCOVERY, "discovery"),
    (LOCATION, "location"),
]
