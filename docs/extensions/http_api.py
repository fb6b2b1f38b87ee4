"""The operations of docs/openapi.json as Markdown, in place of a marker in docs/http-api.md."""

import json
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

PAGE, MARKER = "http-api", "<!-- operations: rendered from openapi.json -->"
DESCRIPTION = "openapi.json"
Json = Mapping[str, Any]


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("source-read", _render)
    return {"parallel_read_safe": True}


def _render(app: Sphinx, page: str, source: list[str]) -> None:
    if page == PAGE:
        path = Path(app.srcdir) / DESCRIPTION
        app.env.note_dependency(str(path))
        source[0] = source[0].replace(MARKER, operations(json.loads(path.read_text(encoding="utf-8"))))


def operations(api: Json) -> str:
    """Return a section per operation and one per schema, in the order of the OpenAPI description `api`."""
    blocks: list[str] = []
    for path, methods in api["paths"].items():
        for method, operation in methods.items():
            blocks += [
                f"## {method.upper()} {path}",
                operation.get("description", ""),
                *_operation(operation),
            ]
    blocks.append("## Answers")
    for name, schema in api["components"]["schemas"].items():
        blocks += [f"### {name}", schema.get("description", ""), *_fields(schema)]
    return "\n\n".join(block for block in blocks if block)


def _operation(operation: Json) -> Iterator[str]:
    parameters = operation.get("parameters", [])
    if parameters:
        yield _table(
            ("parameter", "in", "type", "default", "meaning"),
            [
                (
                    _name(parameter["name"], required=parameter.get("required", False)),
                    parameter["in"],
                    *_value(parameter["schema"]),
                    parameter.get("description", parameter["schema"].get("description", "")),
                )
                for parameter in parameters
            ],
        )
    content = operation.get("requestBody", {}).get("content", {})
    if content:
        kinds = " or ".join(f"`{kind}`" for kind in content)
        (schema, *_) = (body["schema"] for body in content.values())
        yield f"Body: {kinds}. {schema.get('description', '')}".strip()
        yield from _fields(schema)
    yield _table(
        ("status", "answer"), [(_status(code), _answer(r)) for code, r in operation["responses"].items()]
    )


def _fields(schema: Json) -> Iterator[str]:
    """Yield a table of the properties of an object, if it has any."""
    properties = schema.get("properties", {})
    required = schema.get("required", [])
    if properties:
        rows = [
            (_name(name, required=name in required), *_value(value), value.get("description", ""))
            for name, value in properties.items()
        ]
        yield _table(("field", "type", "default", "meaning"), rows)


def _name(name: str, *, required: bool) -> str:
    return f"`{name}`" if required else f"`{name}` (optional)"


def _value(schema: Json) -> tuple[str, str]:
    """Return the type of a value and its default."""
    return type_of(schema), f"`{json.dumps(schema['default'])}`" if "default" in schema else ""


def type_of(schema: Json) -> str:
    """Return the type of a JSON schema in words, with its limits; a link for a named schema."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in schema:
        return " or ".join(type_of(choice) for choice in schema["anyOf"])
    if "enum" in schema or "const" in schema:
        return " or ".join(f"`{json.dumps(value)}`" for value in schema.get("enum", [schema.get("const")]))
    kind = schema.get("type", "any")
    if kind == "array":
        return f"list of {type_of(schema.get('items', {}))}{_limits(schema)}"
    if kind == "object" and isinstance(schema.get("additionalProperties"), Mapping):
        return f"object of {type_of(schema['additionalProperties'])}"
    if schema.get("format") in ("binary", "byte"):
        return "photo"
    return f"{kind}{_limits(schema)}"


def _limits(schema: Json) -> str:
    words = {
        "minimum": "≥",
        "exclusiveMinimum": ">",
        "maximum": "≤",
        "exclusiveMaximum": "<",
        "minItems": "at least",
        "maxItems": "at most",
        "minLength": "length ≥",
        "maxLength": "length ≤",
    }
    limits = [f"{word} {schema[key]:g}" for key, word in words.items() if key in schema]
    return f" ({', '.join(limits)})" if limits else ""


def _status(code: str) -> str:
    return f"{code} {HTTPStatus(int(code)).phrase}" if code.isdigit() else code


def _answer(response: Json) -> str:
    """Return the types of an answer, or its description."""
    content = response.get("content", {})
    types = [type_of(body["schema"]) for body in content.values() if body.get("schema")]
    return " or ".join(types) or ", ".join(content) or response["description"]


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """Return a table without the columns that are empty."""
    kept = [i for i in range(len(head)) if any(row[i] for row in rows)]
    lines = [[head[i] for i in kept], ["---"] * len(kept), *([row[i] for i in kept] for row in rows)]
    return "\n".join(f"| {' | '.join(_cell(cell) for cell in line)} |" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())
