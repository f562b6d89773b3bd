"""The protocol as an OpenRPC document."""

from __future__ import annotations

import json
from typing import Any

from simplestchat.signaling.docs.schema import NOTIFICATION, REF, Schema, components, errors
from simplestchat.signaling.docs.source import clean
from simplestchat.signaling.notices import Notice
from simplestchat.signaling.registry import METHODS, NOTICES, PING, Method

VERSION = "1.0.0"


def render() -> str:
    """The whole of ``openrpc.json``."""
    schemas = components()
    document = {
        "openrpc": "1.3.2",
        "info": {
            "title": "SimplestChat",
            "version": VERSION,
            "description": "JSON-RPC 2.0 over the WebSocket at /ws, parameters by name.",
            "license": {"name": "Apache-2.0"},
        },
        "methods": [_method(one, schemas) for one in METHODS.values()],
        "x-notifications": [_notification(one) for one in NOTICES.values()],
        "components": {
            "schemas": {**schemas, NOTIFICATION: _any_notification()},
            "errors": {
                one.reason: {"code": one.code, "message": one.default, "data": {"reason": one.reason}}
                for one in errors()
            },
        },
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _method(method: Method, schemas: dict[str, Schema]) -> dict[str, Any]:
    anything = method.name == PING
    schema = schemas[method.params.__name__]
    required = schema.get("required", ())
    params = [
        {"name": key, "required": key in required, "schema": field} for key, field in schema["properties"].items()
    ]
    result: dict[str, Any] = {"$ref": REF + method.result.__name__}
    if anything:
        result = {}
    return {
        "name": method.name,
        "summary": method.summary,
        "description": "" if anything else schema["description"],
        "paramStructure": "by-name",
        "params": params,
        "result": {"name": "result", "schema": result},
    }


def _notification(notice: type[Notice]) -> dict[str, Any]:
    return {
        "name": notice.method,
        "summary": clean(notice.__doc__ or ""),
        "numbered": notice.numbered,
        "reserved": notice.reserved,
        "params": {"$ref": REF + notice.__name__},
    }


def _any_notification() -> Schema:
    return {
        "title": NOTIFICATION,
        "description": "A whole notification, as it would have come over the WebSocket.",
        "type": "object",
        "properties": {
            "jsonrpc": {"enum": ["2.0"]},
            "method": {"enum": list(NOTICES)},
            "params": {"type": "object"},
            "seq": {"type": "integer", "minimum": 1},
        },
        "required": ["jsonrpc", "method", "params"],
    }
