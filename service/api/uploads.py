"""The content of a request, as multipart form or as JSON with photos in base64, checked by one model.

Photos stay in memory: nothing of a request is ever written to a file.
"""

import functools
import json
from typing import Annotated, Any, TypeVar

from fastapi import Request
from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, WithJsonSchema
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect

from facenet.errors import ImageRejected
from facenet.photos import from_base64
from service.api.problems import Problem
from service.api.settings import Limits

FORM, JSON = "multipart/form-data", "application/json"
FIELDS = 16  # text fields of a form
FIELD_BYTES = 64 * 1024  # of a text field


def _bytes(value: object) -> object:
    """Return the bytes of a photo given as base64; other values are left to the model."""
    if isinstance(value, str):
        try:
            return from_base64(value)
        except ImageRejected as rejected:
            raise ValueError(str(rejected)) from rejected
    return value


PhotoBytes = Annotated[bytes, BeforeValidator(_bytes), WithJsonSchema({"type": "string", "format": "byte"})]


class Upload(BaseModel):
    """Base of the contents of requests."""

    model_config = ConfigDict(extra="forbid", frozen=True, ser_json_bytes="base64")


Content = TypeVar("Content", bound=Upload)


async def read_upload(request: Request, content: type[Content], limits: Limits) -> Content:
    """Return the checked content of a request.

    Raises:
        Problem: 400 for a damaged body, 413 for one too large, 415 for another type, 422 for wrong fields.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        if kind == JSON:
            body = await request.body()
            return await run_in_threadpool(_parse_json, content, body)
        if kind == FORM:
            return _validated(
                functools.partial(content.model_validate, await _form(request, content, limits))
            )
    except ClientDisconnect:
        raise Problem(400, "incomplete", "The body ended before it was complete.") from None
    raise Problem(415, "unsupported_type", f"Send the request as {FORM} or {JSON}.")


def request_body(content: type[Upload]) -> dict[str, Any]:
    """Return the description of a request's content for OpenAPI, in both forms."""
    schema = content.model_json_schema()
    form = json.loads(json.dumps(schema, allow_nan=False).replace('"format": "byte"', '"format": "binary"'))
    types = {FORM: {"schema": form}, JSON: {"schema": schema}}
    return {"requestBody": {"required": True, "content": types}}


def _parse_json(content: type[Content], body: bytes) -> Content:
    return _validated(functools.partial(content.model_validate_json, body))


def _validated(check: "functools.partial[Content]") -> Content:
    try:
        return check()
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False, include_context=False)[:5]
        wrong = [f"{'.'.join(map(str, entry['loc'])) or 'body'}: {entry['msg']}" for entry in found]
        status, reason = (400, "invalid_json") if found[0]["type"] == "json_invalid" else (422, "invalid")
        raise Problem(status, reason, "; ".join(wrong)) from None


async def _form(request: Request, content: type[Upload], limits: Limits) -> dict[str, object]:
    parser = MultiPartParser(
        request.headers,
        request.stream(),
        max_files=limits.photos,
        max_fields=FIELDS,
        max_part_size=FIELD_BYTES,
    )
    parser.spool_max_size = limits.body + 1  # never on disk
    try:
        form = await parser.parse()
    except (MultiPartException, UnicodeDecodeError, KeyError) as error:
        status = 413 if "Too many" in str(error) or "maximum size" in str(error) else 400
        reason = "too_many_fields" if status == 413 else "invalid_form"
        raise Problem(status, reason, "The form is damaged, or has too many or too large fields.") from None
    try:
        return {name: await _values(form, name, content) for name in form}
    finally:
        await form.close()


async def _values(form: FormData, name: str, content: type[Upload]) -> object:
    """Return the value of a field, or the list of its values if the model has a list there."""
    values = [await part.read() if isinstance(part, UploadFile) else part for part in form.getlist(name)]
    known = content.model_fields.get(name)
    if known is not None and str(known.annotation).startswith(("list", "tuple")):
        return values
    if len(values) > 1:
        raise Problem(422, "invalid", f"{name if known else 'A field'}: given {len(values)} times")
    return values[0]
