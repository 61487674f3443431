"""The form of a request: its files and fields, within the limits."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import NamedTuple

from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.types import Message, Receive

from fracture.api.classify import ReceivedFile, check_files
from fracture.api.options import FILES, Options, read_options
from fracture.api.refusals import RefusalError
from fracture.imaging.limits import MAX_KEPT_BYTES, MAX_UPLOADS

MAX_BODY_BYTES = MAX_KEPT_BYTES + 2**20
"""The files, and what a form has around them."""

RECEIVE_SECONDS = 120.0
"""How long a client may send a request: it has a place in the queue meanwhile."""


class Form(NamedTuple):
    """What a request asks for."""

    files: list[ReceivedFile]
    options: Options


@asynccontextmanager
async def received(request: Request) -> AsyncIterator[Form]:
    """The form of a request; its temporary files are deleted at the end. Raises RefusalError beyond a limit."""
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise RefusalError("A request must be a form of the type multipart/form-data: curl -F files=@view.png", 415)
    if int(request.headers.get("content-length") or 0) > MAX_BODY_BYTES:
        raise _too_large()
    bounded = Request(request.scope, _bounded(request.receive))
    # Parts with a name of a file go to temporary files; the others, the options, are short.
    opening = bounded.form(max_files=MAX_UPLOADS, max_fields=len(Options.model_fields), max_part_size=1000)
    try:
        form = await asyncio.wait_for(opening, RECEIVE_SECONDS)
    except TimeoutError as error:
        raise RefusalError(f"A request must arrive within {RECEIVE_SECONDS:.0f} s. Send fewer files.", 408) from error
    try:
        yield _read(form)
    finally:
        await form.close()


def _read(form: FormData) -> Form:
    files = []
    fields: dict[str, str] = {}
    for name, value in form.multi_items():
        if isinstance(value, UploadFile):
            if name != FILES:
                raise RefusalError(f"Files are in the field {FILES}. Received: one in another field.")
            files.append(ReceivedFile(value.filename or "", value.size or 0, partial(value.file.read)))
        elif name == FILES:
            raise RefusalError(f"The field {FILES} takes uploaded files, no paths or URLs: curl -F {FILES}=@view.png")
        else:
            fields[name] = value
    check_files(files)
    return Form(files, read_options(fields))


def _bounded(receive: Receive) -> Receive:
    """Receives a body as long as it is not too large: a client need not say its length."""
    total = 0

    async def bounded() -> Message:
        nonlocal total
        message = await receive()
        total += len(message.get("body", b""))
        if total > MAX_BODY_BYTES:
            raise _too_large()
        return message

    return bounded


def _too_large() -> RefusalError:
    return RefusalError(
        f"The files of a request may have {MAX_KEPT_BYTES // 2**20} MB together. Send several requests.", 413
    )
