"""Reviews over HTTP: questions that are posted, answered at once, and never stored."""

from __future__ import annotations

from aiohttp import web

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.api import authentication, decoding, paths, questions, responses, reviews, statuses, verbs

_ACCESS = "/apis/authorization.k8s.io/v1"
_IDENTITY = "/apis/authentication.k8s.io/v1"


class Reviewing:
    """The handlers of all reviews; each answers 201 with the question and a status."""

    def __init__(self, over: verbs.Verbs, answers: reviews.Reviews) -> None:
        self._verbs, self._answers = over, answers

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Serve each kind of review at its path."""
        for path, answer in (
            (f"{_ACCESS}/selfsubjectaccessreviews", self._self_access),
            (f"{_ACCESS}/selfsubjectrulesreviews", self._rules),
            (f"{_ACCESS}/subjectaccessreviews", self._access),
            (f"{_ACCESS}/namespaces/{{namespace}}/localsubjectaccessreviews", self._access),
            (f"{_IDENTITY}/selfsubjectreviews", self._subject),
            (f"{_IDENTITY}/tokenreviews", self._token),
        ):
            router.add_post(path, answer)

    async def _self_access(self, request: web.Request) -> web.Response:
        body = await self._question(request)
        return _answered(self._answers.self_access(body, request[authentication.USER]))

    async def _access(self, request: web.Request) -> web.Response:
        namespace = request.match_info.get("namespace", "")
        return _answered(self._answers.access(await self._question(request), namespace=namespace))

    async def _rules(self, request: web.Request) -> web.Response:
        body = await self._question(request)
        return _answered(self._answers.rules(body, request[authentication.USER]))

    async def _subject(self, request: web.Request) -> web.Response:
        await self._question(request)  # it asks nothing, but has to be one
        return _answered(self._answers.subject(request[authentication.USER]))

    async def _token(self, request: web.Request) -> web.Response:
        return _answered(self._answers.token(await self._question(request)))

    async def _question(self, request: web.Request) -> JsonObject:
        """The body, which nobody has checked yet, in the shape of its kind."""
        body = decoding.decode_body(await request.read(), request.headers.get("Content-Type", ""))
        asked = paths.parse(request.rel_url.raw_path).resource
        if asked is None:
            raise statuses.no_such_resource()
        return questions.decode(self._verbs.schemas, self._verbs.kind_of(asked), body)


def _answered(review: JsonObject) -> web.Response:
    return responses.json_response(review, code=201)
