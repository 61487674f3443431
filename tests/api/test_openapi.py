"""The OpenAPI description: its structure; tests of the routes compare responses with it."""

import json

import pytest
from jsonschema import Draft202012Validator

from fracture.api.openapi import describe_api
from fracture.api.options import FILES, Options

METHODS = {"get", "post"}


def references(part):
    """All ``$ref`` in a document."""
    if isinstance(part, dict):
        if "$ref" in part:
            yield part["$ref"]
        part = list(part.values())
    if isinstance(part, list):
        for each in part:
            yield from references(each)


def test_document_has_what_openapi_asks_for():
    """Of version 3.1: title, version, and for each operation a name of its own and described responses."""
    document = json.loads(json.dumps(describe_api()))
    assert document["openapi"].startswith("3.1.")
    assert document["info"]["title"] and document["info"]["version"]
    operations = [(path, way, each) for path, item in document["paths"].items() for way, each in item.items()]
    assert {way for _, way, _ in operations} <= METHODS and all(path.startswith("/") for path, _, _ in operations)
    assert len({each["operationId"] for _, _, each in operations}) == len(operations)
    for _, _, each in operations:
        assert "200" in each["responses"]
        assert all("$ref" in response or response["description"] for response in each["responses"].values())


def test_references_lead_somewhere():
    """Each within the document."""
    document = describe_api()
    found = list(references(document))
    assert found
    for reference in found:
        part = document
        for key in reference.removeprefix("#/").split("/"):
            part = part[key]


@pytest.mark.parametrize("name", sorted(describe_api()["components"]["schemas"]))
def test_schemas_are_json_schema(name):
    """Of 2020-12, which OpenAPI 3.1 uses."""
    Draft202012Validator.check_schema(describe_api()["components"]["schemas"][name])


def test_request_has_all_options():
    """And the files, which alone are required."""
    request = describe_api()["components"]["schemas"]["Request"]
    assert list(request["properties"]) == [FILES, *Options.model_fields]
    assert request["required"] == [FILES]
