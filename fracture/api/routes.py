"""The routes of the REST interface, for Starlette: Streamlit's own server is built on it."""

import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

import fracture
from fracture.api.access import FORWARDED, Client, check_client, check_on
from fracture.api.classify import classify_files
from fracture.api.openapi import describe_api
from fracture.api.queue import BoundedQueue
from fracture.api.receiving import received
from fracture.api.refusals import RefusalError
from fracture.errors import FractureError
from fracture.training.runs.listing import list_models

Endpoint = Callable[[Request], Awaitable[Response]]


def api_routes(queue: BoundedQueue | None = None) -> Mount:
    """All routes, below ``/api``."""
    # It would warn of damaged forms, and may quote them.
    logging.getLogger("python_multipart").disabled = True
    places = queue or BoundedQueue()
    routes = [
        Route("/classify", _protected(partial(_classify, places)), methods=["POST"]),
        Route("/models", _protected(partial(_models, places)), methods=["GET"]),
        Route("/health", _health, methods=["GET"]),
        Route("/openapi.json", _openapi, methods=["GET"]),
    ]
    handlers: Mapping[Any, Any] = {HTTPException: _http_error, FractureError: _error}
    return Mount("/api", app=Starlette(routes=routes, middleware=[Middleware(OnlyWhenOn)], exception_handlers=handlers))


class OnlyWhenOn:
    """Answers every request with 404 while the interface is off."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        try:
            check_on()
        except RefusalError as refusal:
            await _refused(refusal)(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def _protected(endpoint: Endpoint) -> Endpoint:
    """The endpoint, for those who may use it."""

    async def protected(request: Request) -> Response:
        check_client(_client(request))
        return await endpoint(request)

    return protected


def _client(request: Request) -> Client:
    return Client(
        address=request.client.host if request.client else "",
        host=request.url.hostname or "",
        authorization=request.headers.get("authorization", ""),
        forwarded=any(name in request.headers for name in FORWARDED),
    )


async def _classify(queue: BoundedQueue, request: Request) -> Response:
    with queue.place():
        async with received(request) as form:
            return _as_json(await queue.run(partial(classify_files, form.files, form.options)))


async def _models(queue: BoundedQueue, _: Request) -> Response:
    with queue.place():
        return _as_json(await queue.run(list_models))


async def _health(_: Request) -> Response:
    return _as_json({"status": "ok", "version": fracture.__version__})


async def _openapi(_: Request) -> Response:
    return _as_json(describe_api())


def _as_json(document: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """The text that the command line prints."""
    return Response(json.dumps(document, indent=1) + "\n", status, headers, "application/json")


def _refused(refusal: RefusalError) -> Response:
    return _as_json({"error": str(refusal)}, refusal.status, refusal.headers)


async def _error(_: Request, error: Exception) -> Response:
    return _refused(error if isinstance(error, RefusalError) else RefusalError(str(error)))


async def _http_error(request: Request, error: HTTPException) -> Response:
    """Of Starlette itself: another path or method, or a damaged form."""
    words = {
        404: "There is no such address; /api/openapi.json describes all.",
        405: f"This address does not take {request.method}; /api/openapi.json describes all.",
    }
    sentence = words.get(error.status_code, str(error.detail))
    return _as_json({"error": sentence}, error.status_code, error.headers)
