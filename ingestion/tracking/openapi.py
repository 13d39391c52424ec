"""The event API in the OpenAPI document.

Its views are plain Django for speed, so drf-spectacular does not see them: a postprocessing hook adds their paths,
built from the msgspec struct by which the door and the digest read.
"""

from typing import Any, Final

import msgspec

from ingestion import messages
from ingestion.tracking.tracking_api import MAX_BATCH_ITEMS

Schema = dict[str, Any]

_REF: Final = "#/components/schemas/{name}"
_ID_FIELDS: Final = ("userId", "anonymousId", "previousId", "groupId")
# What each call needs beyond a userId or an anonymousId.
_REQUIRED: Final = {
    "identify": (),
    "track": ("event",),
    "page": (),
    "screen": (),
    "alias": ("previousId", "userId"),
    "group": ("groupId",),
}
_SUMMARIES: Final = {
    "identify": "Say who a user is",
    "track": "Say what a user did",
    "page": "Say that a page was viewed",
    "screen": "Say that a screen of an app was viewed",
    "alias": "Say that an earlier id and a later one are the same person",
    "group": "Say for which company, household or team a user acts",
}
_LIMITS: Final = (
    "At most 500 KB a request and 32 KB a message, as JSON in UTF-8, packed by gzip or deflate if you like. The write "
    "key is the user name of HTTP Basic auth, or `writeKey` in the body."
)
_ANSWERS: Final = {
    "400": "The request cannot be read, or the single call cannot be used; says where.",
    "401": "The write key is missing, wrong or revoked, or its source is switched off.",
    "403": "A public key, sent from a page of an origin that its source does not list.",
    "411": "The body came in chunks, without its length.",
    "413": "The request is larger than the limits, before or after unpacking.",
    "429": "The source sends faster than it may, or too much is waiting: send it again after `Retry-After` seconds.",
    "503": "Nothing was kept: send it again after `Retry-After` seconds.",
}


def add_event_api(result: Schema, generator: Any, request: Any, public: bool) -> Schema:
    """A postprocessing hook of drf-spectacular (SPECTACULAR_SETTINGS): the document with the event API in it."""
    components = result.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    schemas.update(_schemas())
    components.setdefault("securitySchemes", {})["writeKey"] = {
        "type": "http",
        "scheme": "basic",
        "description": "The write key of a source as user name; the password is empty.",
    }
    paths = result.setdefault("paths", {})
    for kind in messages.TYPES:
        paths[f"/v1/{kind}"] = {"post": _operation(kind, _SUMMARIES[kind], _LIMITS)}
    paths["/v1/batch"] = {
        "post": _operation(
            "batch",
            "Many calls at once",
            f"{_LIMITS} At most {MAX_BATCH_ITEMS:,} calls. A call that cannot be used goes to quarantine, the others "
            "are taken. A messageId is taken once for ever: send a batch again as often as you need to.",
        )
    }
    paths["/v1/import"] = {
        "post": _operation("import", "History", f"As `/v1/batch`, but it waits behind what happens now. {_LIMITS}")
    }
    return result


def _operation(name: str, summary: str, description: str) -> Schema:
    body = "Batch" if name in {"batch", "import"} else f"{name.capitalize()}Call"
    refusals = {
        status: {
            "description": text,
            **({"headers": {"Retry-After": _RETRY_AFTER}} if status in {"429", "503"} else {}),
            "content": {"application/json": {"schema": {"$ref": _REF.format(name="Problem")}}},
        }
        for status, text in _ANSWERS.items()
    }
    taken = {
        "description": "Kept for good: it was committed before this answer.",
        "content": {"application/json": {"schema": {"$ref": _REF.format(name="Success")}}},
    }
    return {
        "operationId": f"tracking_{name}",
        "tags": ["Event API"],
        "summary": summary,
        "description": description,
        "security": [{"writeKey": []}],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"$ref": _REF.format(name=body)}}},
        },
        "responses": {"200": taken, **refusals},
    }


_RETRY_AFTER: Final[Schema] = {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 1}}


def _schemas() -> Schema:
    (_ref,), found = msgspec.json.schema_components([messages.Message], ref_template=_REF)
    properties: Schema = {
        # `cdp` is what our own doors know; of the event API it is never read.
        name: {key: value for key, value in field.items() if key != "default"}
        for name, field in found["Message"]["properties"].items()
        if name != "cdp"
    }
    properties["messageId"] |= {"maxLength": messages.MAX_MESSAGE_ID_LENGTH}
    properties["event"] |= {"maxLength": messages.MAX_EVENT_NAME_LENGTH}
    for name in _ID_FIELDS:
        properties[name]["description"] = f"A number, or a text of at most {messages.MAX_ID_LENGTH} characters."
    for name in ("timestamp", "originalTimestamp", "sentAt"):
        properties[name]["description"] = "ISO 8601, e.g. 2026-11-22T10:15:00+07:00."
    properties["type"] = {"type": "string", "enum": list(messages.TYPES)}
    properties["integrations"]["description"] = (
        "Taken and not acted on: what leaves this platform is decided by purpose and consent."
    )
    owner = {"anyOf": [{"required": ["userId"]}, {"required": ["anonymousId"]}]}
    calls = {
        f"{kind.capitalize()}Call": {
            "type": "object",
            "properties": {name: schema for name, schema in properties.items() if name != "type"}
            | {"writeKey": {"type": "string"}},
            **({"required": list(required)} if required else {}),
            **owner,
        }
        for kind, required in _REQUIRED.items()
    }
    return calls | {
        "Message": {"type": "object", "properties": properties, "required": ["type"], **owner},
        "Batch": {
            "type": "object",
            "properties": {
                "batch": {
                    "type": "array",
                    "items": {"$ref": _REF.format(name="Message")},
                    "maxItems": MAX_BATCH_ITEMS,
                },
                "sentAt": properties["sentAt"],
                "writeKey": {"type": "string"},
                "context": {"type": "object", "description": "For calls that bring none of their own."},
                "integrations": {"type": "object"},
            },
            "required": ["batch"],
        },
        "Success": {
            "type": "object",
            "properties": {"success": {"type": "boolean", "enum": [True]}},
            "required": ["success"],
        },
        "Problem": {
            "type": "object",
            "properties": {
                "error": {
                    "type": "object",
                    "properties": {
                        "code": {"type": "string", "description": "A stable word for programs."},
                        "message": {"type": "string"},
                        "field": {"type": ["string", "null"], "description": "Where, if it is one place."},
                        "hint": {"type": ["string", "null"], "description": "How to mend it."},
                    },
                    "required": ["code", "message", "field", "hint"],
                }
            },
            "required": ["error"],
        },
    }
