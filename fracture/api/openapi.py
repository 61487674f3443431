"""The description of the REST interface in OpenAPI 3.1, https://spec.openapis.org/oas/v3.1.1.html."""

import fracture
from fracture.api.options import FILES, Options
from fracture.api.queue import MAX_WAITING
from fracture.files import JsonObject
from fracture.imaging.limits import MAX_FILE_MB, MAX_KEPT_BYTES, MAX_UPLOADS
from fracture.inference.classifier import NOTICE
from fracture.inference.report import CSV_COLUMNS

NUMBERS = ("probability", "lowest", "highest", "doubt_from", "doubt_to")
"""Columns of a row that are numbers; null without an answer."""


def describe_api() -> JsonObject:
    """The OpenAPI document."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Bone X-ray lab",
            "version": fracture.__version__,
            "description": NOTICE,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/api"}],
        "security": [{"token": []}],
        "paths": {
            "/classify": {"post": _classify()},
            "/models": {"get": _get("listModels", "All models and runs", "Models")},
            "/health": {"get": {**_get("checkHealth", "Whether the server answers", "Health"), "security": []}},
            "/openapi.json": {"get": {**_get("describe", "This description", "Description"), "security": []}},
        },
        "components": {
            "schemas": _schemas(),
            "responses": {"Error": _json("A sentence says what is wrong and what to do", "Error")},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _classify() -> JsonObject:
    limits = (
        f"At most {MAX_UPLOADS} files, and so many fewer where several models are asked; {MAX_FILE_MB} MB a file and "
        f"{MAX_KEPT_BYTES // 2**20} MB together."
    )
    full = f"More than {MAX_WAITING} requests wait; the header Retry-After says when to ask again"
    return {
        "operationId": "classify",
        "summary": "Classify radiographs",
        "description": f"Answers as `fracture classify --json` does. {limits}",
        "requestBody": {
            "required": True,
            "content": {"multipart/form-data": {"schema": {"$ref": "#/components/schemas/Request"}}},
        },
        "responses": {
            "200": _json("The answers; a file that can't be read has a sentence in errors", "Answers"),
            "400": _error(),
            "401": _error(),
            "403": _error(),
            "408": _error(),
            "413": _error(),
            "415": _error(),
            "500": _error(),
            "503": {
                **_json(full, "Error"),
                "headers": {"Retry-After": {"description": "Seconds", "schema": {"type": "integer"}}},
            },
        },
    }


def _get(operation: str, summary: str, schema: str) -> JsonObject:
    responses: JsonObject = {"200": _json(summary, schema), "default": _error()}
    return {"operationId": operation, "summary": summary, "responses": responses}


def _json(description: str, schema: str) -> JsonObject:
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
    return {"description": description, "content": content}


def _error() -> JsonObject:
    return {"$ref": "#/components/responses/Error"}


def _schemas() -> JsonObject:
    texts = _array({"type": "string"})
    request = Options.model_json_schema()
    file = {"type": "string", "contentMediaType": "application/octet-stream"}
    request["properties"] = {FILES: {**_array(file), "minItems": 1, "maxItems": MAX_UPLOADS}, **request["properties"]}
    return {
        "Request": {**request, "required": [FILES]},
        "Answers": _object(
            {
                "model": {"type": "string", "description": "automatic where several models were asked"},
                "labels": {**texts, "description": "of the model, the negative one first"},
                "models": _map({**texts}),
                "results": _array({"$ref": "#/components/schemas/Row"}),
                "errors": {**texts, "description": "a sentence for each file that can't be read"},
                "runtimes": _map({"type": "string"}),
                "adjusted": _map({"type": "string"}),
            },
            required=["model", "results", "errors", "runtimes"],
        ),
        "Row": _object({name: _column(name) for name in CSV_COLUMNS}),
        "Models": _array(
            _object(
                {
                    "name": {"type": "string"},
                    "state": {"type": "string"},
                    "error": {"type": ["string", "null"]},
                    "usable": {"type": "boolean"},
                    "labels": {"type": ["array", "null"], "items": {"type": "string"}},
                    "auc": {"type": ["number", "null"]},
                }
            )
        ),
        "Health": _object({"status": {"const": "ok"}, "version": {"type": "string"}}),
        "Description": {"type": "object", "required": ["openapi", "info", "paths"]},
        "Error": _object({"error": {"type": "string"}}),
    }


def _column(name: str) -> JsonObject:
    if name == "kind":
        return {"enum": ["image", "study"]}
    return {"type": ["number", "null"]} if name in NUMBERS else {"type": "string"}


def _array(items: JsonObject) -> JsonObject:
    return {"type": "array", "items": items}


def _map(values: JsonObject) -> JsonObject:
    return {"type": "object", "description": "by the model's name", "additionalProperties": values}


def _object(properties: JsonObject, required: list[str] | None = None) -> JsonObject:
    names = list(properties) if required is None else required
    return {"type": "object", "properties": properties, "required": names, "additionalProperties": False}
