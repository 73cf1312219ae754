"""The fault dial of a running lab: `GET`, `POST` and `DELETE /lab/v1/faults`."""

from __future__ import annotations

from dataclasses import dataclass

import orjson
from aiohttp import web

from bookmesh.base.kubernetes import ApiError
from bookmesh.kube.api import faults, responses, statuses


@dataclass(frozen=True, slots=True)
class FaultDial:
    """Sets the faults that the API server lets happen."""

    faults: faults.Faults

    async def handle(self, request: web.Request) -> web.Response:
        """
        Answer with `{"faults": [...]}`, after the change that was asked for.

        Raises:
            ApiError: 400 for a fault that cannot be, 404 for a number that is none, 405.
        """
        if request.method == "POST":
            try:
                body = orjson.loads(await request.read())
            except orjson.JSONDecodeError as error:
                raise statuses.bad_request(f"a fault is a JSON object: {error}") from error
            self.faults.add(faults.parse(body))
        elif request.method == "DELETE":
            self._remove(request.query.get("number", ""))
        elif request.method != "GET":
            raise statuses.method_not_allowed()
        return responses.json_response({"faults": [faults.shown(each) for each in self.faults.all()]})

    def _remove(self, number: str) -> None:
        if not number:
            self.faults.clear()
            return
        try:
            self.faults.remove(int(number))
        except (KeyError, ValueError) as error:
            raise ApiError(404, "NotFound", f"there is no fault {number}") from error
