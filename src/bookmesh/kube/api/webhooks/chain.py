"""
In which order webhooks are asked, and what comes of their answers.

Mutating webhooks are asked one after the other, each about what the one before left. One that asked for it
(`reinvocationPolicy: IfNeeded`) is asked once more when a later one changed the object. Validating webhooks are asked
all at once; the refusal of the first one in order counts.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections.abc import Iterable

from bookmesh.base.kubernetes import ApiError, JsonObject
from bookmesh.kube.api import admission, authorization, service_network, statuses
from bookmesh.kube.api.webhooks import calling, configurations, matching, reviews
from bookmesh.kube.schema import kinds as kinds_module
from bookmesh.kube.store import store as stores

_log = logging.getLogger(__name__)


class Webhooks:
    """Implements `admission.Webhooks` over the configurations in the store."""

    def __init__(
        self, store: stores.Store, kinds: kinds_module.Kinds, network: service_network.ServiceNetwork
    ) -> None:
        self._store, self._kinds = store, kinds
        self._caller = calling.Caller(network)
        self._authorizer = authorization.Authorizer(store)
        self._mutating = configurations.Configurations(store, configurations.MUTATING)
        self._validating = configurations.Configurations(store, configurations.VALIDATING)

    async def mutate(self, request: admission.AdmissionRequest) -> admission.Review:
        """Ask the mutating webhooks; raises `ApiError`."""
        webhooks = self._mutating.webhooks()
        if not webhooks:
            return admission.Review(request.object)
        first = await self._mutate_with(webhooks, request)
        again = [
            webhook
            for webhook in first.asked
            if webhook.is_reinvoked and first.asked.index(webhook) < first.last_change
        ]
        if not again:
            return admission.Review(first.object, first.warnings)
        second = await self._mutate_with(again, dataclasses.replace(request, object=first.object))
        return admission.Review(second.object, (*first.warnings, *second.warnings))

    async def _mutate_with(
        self, webhooks: Iterable[configurations.Webhook], request: admission.AdmissionRequest
    ) -> _Round:
        """Ask each in turn."""
        done = _Round(request.object)
        for webhook in webhooks:
            request = dataclasses.replace(request, object=done.object)
            verdict = await self._ask(webhook, request)
            if verdict is None:
                continue
            done.asked.append(webhook)
            done.warnings += verdict.warnings
            if verdict.patch and request.operation != "DELETE":
                changed = self._changed(webhook, request, verdict)
                if changed != done.object:
                    done.object, done.last_change = changed, len(done.asked) - 1
        return done

    def _changed(
        self,
        webhook: configurations.Webhook,
        request: admission.AdmissionRequest,
        verdict: reviews.Verdict,
    ) -> JsonObject:
        try:
            changed = reviews.patched(request.object, verdict.patch)
        except reviews.InvalidAnswerError as error:
            if webhook.is_ignored_on_failure:
                _log.warning('the patch of webhook "%s" is ignored: %s', webhook.name, error)
                return request.object
            raise statuses.internal(str(error)) from error
        # Which version the webhook heard of is its own affair.
        return {**changed, "apiVersion": request.object.get("apiVersion"), "kind": request.object.get("kind")}

    async def validate(self, request: admission.AdmissionRequest) -> tuple[str, ...]:
        """Ask the validating webhooks; returns their warnings. Raises `ApiError`."""
        webhooks = self._validating.webhooks()
        if not webhooks:
            return ()
        answers = await asyncio.gather(
            *(self._ask(webhook, request) for webhook in webhooks), return_exceptions=True
        )
        warnings: tuple[str, ...] = ()
        for answer in answers:
            if isinstance(answer, BaseException):
                raise answer
            warnings += answer.warnings if answer else ()
        return warnings

    async def _ask(
        self, webhook: configurations.Webhook, request: admission.AdmissionRequest
    ) -> reviews.Verdict | None:
        """
        The answer of a webhook that wants to hear of the request and allows it; None when it was not asked, or gave
        no answer and is ignored then.

        Raises:
            ApiError: it refuses, or gives no answer.
        """
        resource = matching.matched_resource(
            webhook.source.get("rules") or [],
            webhook.source.get("matchPolicy", "Equivalent"),
            request,
            matching.equivalents(self._kinds, request.resource),
        )
        if resource is None:
            return None
        labels = matching.namespace_labels(self._store, request)
        if not matching.is_selected(webhook.source, request, labels):
            return None
        asked = reviews.question(request, resource)
        try:
            if not matching.meets_conditions(webhook, request, asked, self._authorizer):
                return None
            verdict = await self._caller.call(webhook, asked)
        except matching.ConditionError as error:
            if webhook.is_ignored_on_failure:
                return None
            raise _forbidden(request, str(error)) from error
        except (calling.CallError, reviews.InvalidAnswerError) as error:
            how = (
                "failed to call webhook"
                if isinstance(error, calling.CallError)
                else "received invalid webhook response"
            )
            text = f'failed calling webhook "{webhook.name}": {how}: {error}'
            if webhook.is_ignored_on_failure:
                _log.warning("%s; ignored, as its failurePolicy says", text)
                return None
            raise statuses.internal(text) from error
        if not verdict.is_allowed:
            raise reviews.denial(webhook.name, verdict.status)
        return verdict


@dataclasses.dataclass(slots=True)
class _Round:
    """One round through the mutating webhooks; `last_change` is the position among those asked, -1 for no change."""

    object: JsonObject
    asked: list[configurations.Webhook] = dataclasses.field(default_factory=list)
    warnings: tuple[str, ...] = ()
    last_change: int = -1


def _forbidden(request: admission.AdmissionRequest, why: str) -> ApiError:
    details = {"name": request.name, "group": request.resource.group, "kind": request.resource.plural}
    message = f'{request.resource.qualified} "{request.name}" is forbidden: {why}'
    return ApiError(403, "Forbidden", message, details=details)
