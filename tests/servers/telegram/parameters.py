"""A call's parameters, and the answers to it.

Stricter than Telegram, which takes a default where a number or a boolean cannot be read: here that is
refused, for it is a bug of who calls.
"""

import json
from collections.abc import Mapping
from typing import Any

from tests.servers.http import Request, Response, Upload
from tests.servers.telegram.chats import ApiError, Json


class Parameters:
    """A call's fields: text in forms, with JSON in it for all that is no text; values in JSON bodies."""

    def __init__(self, request: Request) -> None:
        self.given: Json = {name: values[-1] for name, values in request.query.items()}
        self.files: Mapping[str, Upload] = {}
        if request.content_type == "application/json":
            try:
                body = request.json
            except ValueError:
                body = None
            if not isinstance(body, dict):
                raise ApiError(400, "Bad Request: can't parse request: can't parse JSON object")
            self.given |= body
        else:
            self.given |= {name: values[-1] for name, values in request.form.items()}
            self.files = request.files

    @classmethod
    def of(cls, given: Json) -> "Parameters":
        """Those of an object in a call, as an item of an album."""
        made = cls.__new__(cls)
        made.given, made.files = given, {}
        return made

    def text(self, name: str) -> str:
        value = self.given.get(name, "")
        if not isinstance(value, str | int) or isinstance(value, bool):
            raise ApiError(400, f"Bad Request: {name} must be a string")
        return str(value)

    def value(self, name: str, default: Any = None) -> Any:
        value = self.given.get(name, default)
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value)
        except ValueError:
            raise ApiError(400, f"Bad Request: can't parse {name}") from None

    def integer(self, name: str, default: int = 0) -> int:
        value = self.value(name, default)
        if not isinstance(value, int) or isinstance(value, bool):
            raise ApiError(400, f"Bad Request: {name} must be a number")
        return value

    def flag(self, name: str) -> bool:
        value = self.given.get(name, False)
        known = {"true": True, "1": True, "false": False, "0": False, "": False}
        if isinstance(value, str) and value.lower() in known:
            return known[value.lower()]
        if not isinstance(value, bool):
            raise ApiError(400, f"Bad Request: {name} must be a boolean")
        return value


def done(result: Any) -> Response:
    return Response(200, {"ok": True, "result": result})


def failed(error: ApiError) -> Response:
    return Response(error.status, error.to_json())
