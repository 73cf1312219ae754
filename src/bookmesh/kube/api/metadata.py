"""Object metadata that the server fills in: names, identity, times, generations."""

from __future__ import annotations

import datetime
import secrets
import uuid
from collections.abc import Callable

from bookmesh.base.kubernetes import API_SERVICES, JsonObject
from bookmesh.kube.schema import kinds

Clock = Callable[[], datetime.datetime]

# Kubernetes leaves out vowels and look-alikes, so that no generated name spells a word.
_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
_SUFFIX_LENGTH = 5
_LONGEST_GENERATED = 63 - _SUFFIX_LENGTH

# What a client sends along but only the server decides; taken over from the stored object on every write.
_SERVER_FIELDS = (
    "uid",
    "creationTimestamp",
    "generation",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "namespace",
    "name",
    "generateName",
    "resourceVersion",
)

# Built-in kinds that count generations although they have no status subresource.
_COUNTED = frozenset(
    {
        ("", "podtemplates"),
        ("admissionregistration.k8s.io", "mutatingadmissionpolicies"),
        ("admissionregistration.k8s.io", "mutatingadmissionpolicybindings"),
        ("admissionregistration.k8s.io", "mutatingwebhookconfigurations"),
        ("admissionregistration.k8s.io", "validatingadmissionpolicybindings"),
        ("admissionregistration.k8s.io", "validatingwebhookconfigurations"),
        ("discovery.k8s.io", "endpointslices"),
        ("networking.k8s.io", "ingressclasses"),
        ("networking.k8s.io", "networkpolicies"),
        ("scheduling.k8s.io", "priorityclasses"),
    }
)
# ... and those that do not, although they have one.
_UNCOUNTED = frozenset(
    {
        ("", "namespaces"),
        ("", "nodes"),
        ("", "persistentvolumeclaims"),
        ("", "persistentvolumes"),
        ("", "resourcequotas"),
        ("", "services"),
        (API_SERVICES.group, API_SERVICES.plural),
    }
)


def has_generation(kind: kinds.Kind) -> bool:
    """Whether objects of a kind count changes of what is wanted."""
    key = (kind.group, kind.plural)
    return key in _COUNTED or ("status" in kind.subresources and key not in _UNCOUNTED)


def utc_now() -> datetime.datetime:
    """The time now, in UTC."""
    return datetime.datetime.now(datetime.UTC)


def timestamp(moment: datetime.datetime) -> str:
    """Write a time as `metav1.Time` does: RFC 3339, UTC, whole seconds."""
    return moment.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def micro_timestamp(moment: datetime.datetime) -> str:
    """Write a time as `metav1.MicroTime` does: RFC 3339, UTC, six digits of a second."""
    return moment.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def random_suffix() -> str:
    """Five characters as at the end of a generated name."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(_SUFFIX_LENGTH))


def generated_name(prefix: str) -> str:
    """A name of at most 63 characters that starts with (the start of) `prefix`."""
    return prefix[:_LONGEST_GENERATED] + random_suffix()


def prepare_create(obj: JsonObject, *, namespace: str, now: datetime.datetime, has_generation: bool) -> None:
    """Fill in the metadata of a new object in place; what only the server may set is dropped first."""
    metadata = obj["metadata"]
    for key in (
        "resourceVersion",
        "uid",
        "creationTimestamp",
        "generation",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "managedFields",
        "selfLink",
    ):
        metadata.pop(key, None)
    if not metadata.get("name") and metadata.get("generateName"):
        metadata["name"] = generated_name(metadata["generateName"])
    if namespace:
        metadata["namespace"] = namespace
    else:
        metadata.pop("namespace", None)
    metadata["uid"] = str(uuid.uuid4())
    metadata["creationTimestamp"] = timestamp(now)
    if has_generation:
        metadata["generation"] = 1
    _drop_empty(metadata)


def prepare_update(obj: JsonObject, old: JsonObject) -> None:
    """Take over in place from `old` what a client cannot change."""
    metadata, before = obj["metadata"], old["metadata"]
    for key in _SERVER_FIELDS:
        if key in before:
            metadata[key] = before[key]
        else:
            metadata.pop(key, None)
    for key in ("managedFields", "selfLink"):
        metadata.pop(key, None)
    _drop_empty(metadata)


def _drop_empty(metadata: JsonObject) -> None:
    for key in ("labels", "annotations", "finalizers", "ownerReferences"):
        if key in metadata and not metadata[key]:
            del metadata[key]


def is_specification_changed(obj: JsonObject, old: JsonObject, *, has_status: bool) -> bool:
    """Whether anything besides metadata (and status, where status is a subresource) differs."""
    ignored = {"apiVersion", "kind", "metadata"} | ({"status"} if has_status else set())
    return any(obj.get(key) != old.get(key) for key in (obj.keys() | old.keys()) - ignored)
