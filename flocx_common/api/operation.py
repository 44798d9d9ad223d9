# SPDX-License-Identifier: Apache-2.0
"""Operations: what a controller method declares about itself.

A declaration says which route the method serves, which policy rule guards it,
what it takes and what it answers. From it come the checks before and after the
method, the OpenAPI document, and the tests that hold every route to the rules.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

import pecan
import webob
from webob.exc import HTTPMethodNotAllowed, HTTPNotFound

from flocx_common.api.context import Caller, caller_from
from flocx_common.api.json_body import parse_json
from flocx_common.api.long_poll import LongPolls
from flocx_common.api.policy import Policy
from flocx_common.api.query import ListSpec, PageLimits, Parameter, list_parameters, list_query, read_parameters
from flocx_common.api.schemas import Schema
from flocx_common.api.validation import Validator
from flocx_common.domain.clock import Clock
from flocx_common.domain.errors import FlocxError, Invalid, PreconditionFailed
from flocx_common.domain.ids import is_id
from flocx_common.domain.paging import ListQuery
from flocx_common.ports.directory import ProjectDirectory
from flocx_common.ports.events import EventStore

S = TypeVar("S", bound="ApiServices")

#: Content types a JSON body may come as.
_JSON_TYPES = ("application/json", "")


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One route and method, declared.

    ``policy`` None makes it public: served without a token, and it must say
    nothing secret. ``statuses`` are the refusals besides those every operation
    can give. Before ``microversion`` there is no such route.
    """

    method: str
    path: str
    summary: str
    policy: str | None
    answers: Mapping[int, Schema | None]
    microversion: tuple[int, int] = (1, 0)
    body: Schema | None = None
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    listing: ListSpec | None = None
    statuses: tuple[int, ...] = ()

    @property
    def operation_id(self) -> str:
        """The name of the operation in the document and in metrics."""
        parts = [part for part in self.path.strip("/").split("/") if part and not part.startswith("{")]
        suffix = ["one"] if self.path.endswith("}") else []
        return "_".join([self.method.lower(), *parts, *suffix]).replace(".", "_")

    def serves(self, environ: Mapping[str, Any]) -> bool:
        """Tell whether it is there in the microversion that a request asks for."""
        return bool(environ.get("flocx.microversion", self.microversion) >= self.microversion)

    @cached_property
    def body_validator(self) -> Validator | None:
        """The compiled schema of the body."""
        return None if self.body is None else Validator(self.body)

    @cached_property
    def answer_validators(self) -> Mapping[int, Validator | None]:
        """The compiled schemas of the answers, by status."""
        return {status: None if schema is None else Validator(schema) for status, schema in self.answers.items()}


@dataclass(kw_only=True)
class ApiServices:
    """What every controller works with; each service adds its own.

    ``check_answers`` makes an answer that breaks its own schema an error.
    """

    policy: Policy
    directory: ProjectDirectory
    page_limits: PageLimits
    public_endpoint: str | None
    check_answers: bool
    event_store: EventStore
    long_polls: LongPolls
    clock: Clock


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a method answers: a status, a body, and headers by name."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


class Call(Generic[S]):
    """One request, as far as an operation may look at it."""

    def __init__(self, operation: Operation, services: S, request: webob.Request, path: Mapping[str, str]) -> None:
        self.operation = operation
        self.services = services
        self.request = request
        self.path = path
        self.authorized = operation.policy is None

    @cached_property
    def caller(self) -> Caller:
        """Who calls.

        :raises Unauthenticated: nobody has been authenticated.
        """
        return caller_from(self.request.environ)

    @cached_property
    def parameters(self) -> Mapping[str, Any]:
        """The query parameters, read.

        :raises Invalid: one of them cannot be.
        """
        declared = dict(self.operation.parameters)
        if self.operation.listing is not None:
            declared |= list_parameters(self.operation.listing, self.services.page_limits)
        given: dict[str, list[str]] = {}
        for name, value in self.request.GET.items():
            if "\x00" in value:
                raise Invalid(f"{name}: text must not hold NUL", field=name)
            given.setdefault(name, []).append(value)
        return read_parameters(given, declared)

    @cached_property
    def body(self) -> dict[str, Any]:
        """The body, checked against its schema.

        :raises Invalid: it does not fit.
        """
        validator = self.operation.body_validator
        assert validator is not None
        kind = (self.request.content_type or "").partition(";")[0].strip().lower()
        if kind not in _JSON_TYPES:
            raise Invalid(f"Content-Type: {kind!r}: application/json is expected", field="Content-Type")
        value = parse_json(self.request.body)
        validator.check(value)
        assert isinstance(value, dict)
        return value

    @property
    def query(self) -> ListQuery:
        """The page of the list that is asked for."""
        spec = self.operation.listing
        assert spec is not None
        return list_query(self.parameters, spec, self.services.page_limits, self.services.directory.resolve)

    def require(
        self, target: Mapping[str, Any], *, rule: str | None = None, hidden: tuple[str, FlocxError] | None = None
    ) -> None:
        """Refuse the call unless the operation's policy rule (or ``rule``) allows it on ``target``.

        :param hidden: (rule to see the target, error for those who may not).
        """
        chosen = rule or self.operation.policy
        assert chosen is not None
        self.services.policy.require(chosen, self.caller, target, hidden=hidden)
        self.authorized = True

    def allows(self, rule: str, target: Mapping[str, Any]) -> bool:
        """Tell whether a rule would allow something."""
        return self.services.policy.allows(rule, self.caller, target)

    def match_etag(self, generation: int) -> None:
        """Refuse the call when ``If-Match`` names another state than the entity's.

        :raises PreconditionFailed: it does.
        """
        wanted = self.request.headers.get("If-Match")
        if wanted is None or wanted.strip() == "*":
            return
        given = {tag.strip().removeprefix("W/") for tag in wanted.split(",")}
        if etag(generation) not in given:
            raise PreconditionFailed(f"If-Match: {wanted[:80]} is not the entity's state, {etag(generation)}")

    @property
    def base_url(self) -> str:
        """The unversioned root of the service, as the client reaches it."""
        return (self.services.public_endpoint or self.request.application_url).rstrip("/")

    def url(self, path: str) -> str:
        """Return the full URL of a path of this service."""
        return f"{self.base_url}{path}"

    def next_links(self, marker: str | None) -> list[dict[str, str]]:
        """Return the link to the page after ``marker``, or none."""
        if marker is None:
            return []
        kept = [(name, value) for name, value in self.request.GET.items() if name != "marker"]
        query = urlencode([*kept, ("marker", marker)], safe=":,")
        return [{"rel": "next", "href": self.url(f"{self.request.path_info}?{query}")}]


def etag(generation: int) -> str:
    """Return the entity tag of an entity's generation."""
    return f'"{generation}"'


def operation(**declared: Any) -> Callable[[Callable[..., Answer]], Callable[..., Answer]]:
    """Declare what a controller method serves; see :class:`Operation`."""

    def decorate(method: Callable[..., Answer]) -> Callable[..., Answer]:
        method.operation = Operation(**declared)  # type: ignore[attr-defined]
        return method

    return decorate


class Controller(Generic[S]):
    """A node of pecan's tree of controllers.

    Its methods that carry an :class:`Operation` serve the path at which it
    stands, one for each HTTP method; attributes are the paths below it, and
    :meth:`below` makes the controller for a path segment that is a variable.
    What begins with an underscore is out of reach of paths (see ``hooks``).

    :param path: the variables of the path so far.
    """

    def __init__(self, services: S, path: Mapping[str, str] | None = None) -> None:
        self._services = services
        self._path = dict(path or {})

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Give every controller an index of its own that picks the method by the HTTP method."""
        super().__init_subclass__(**kwargs)
        methods = {method.operation.method: method for method in vars(cls).values() if hasattr(method, "operation")}

        @pecan.expose(generic=True, content_type="application/json")  # type: ignore[untyped-decorator]
        def index(self: Controller[S]) -> webob.Response:
            allowed = [name for name in sorted(methods) if methods[name].operation.serves(pecan.request.environ)]
            if methods and not allowed:
                raise HTTPNotFound
            raise HTTPMethodNotAllowed(headers={"Allow": ", ".join(allowed)})

        for name, method in methods.items():
            index.when(method=name, content_type="application/json")(_handler(method))
        cls.index = index  # type: ignore[attr-defined]

    def below(self, segment: str) -> Controller[S] | None:
        """Return the controller for a variable path segment, or None where there is none."""
        return None

    @pecan.expose()  # type: ignore[untyped-decorator]
    def _lookup(self, segment: str, *remainder: str) -> tuple[Controller[S], tuple[str, ...]] | None:
        # A UUID is the same however it is written.
        found = self.below(segment.lower() if is_id(segment.lower()) else segment) if segment else None
        return None if found is None else (found, remainder)


def _handler(method: Callable[..., Answer]) -> Callable[[Controller[Any]], webob.Response]:
    def serve(self: Controller[Any]) -> webob.Response:
        declared: Operation = method.operation  # type: ignore[attr-defined]
        pecan.request.environ["flocx.operation"] = declared.operation_id
        call: Call[Any] = Call(declared, self._services, pecan.request, self._path)
        if declared.policy is not None:
            call.caller  # noqa: B018 - who nobody knows learns nothing about what is wrong with the request
        if not declared.serves(pecan.request.environ):
            raise HTTPNotFound
        call.parameters  # noqa: B018 - unknown parameters are refused even where none are used
        answer = method(self, call)
        if not call.authorized:
            raise AssertionError(f"{declared.operation_id} answered without asking its policy rule")
        return _response(declared, answer, check=self._services.check_answers)

    serve.__name__ = method.__name__
    return serve


def _response(declared: Operation, answer: Answer, *, check: bool) -> webob.Response:
    if check:
        validator = declared.answer_validators[answer.status]
        if validator is not None:
            validator.check(json.loads(json.dumps(answer.body)))
    response = webob.Response(status=answer.status)
    if answer.body is None:
        del response.content_type
    else:
        response.content_type = "application/json"
        response.charset = "UTF-8"
        response.body = json.dumps(answer.body).encode()
    for name, value in answer.headers.items():
        response.headers[name] = value
    return response


def operations(controller: Controller[Any]) -> Iterator[Operation]:
    """Yield every operation served at or below a controller."""
    # Kept, not only remembered by id: what is made on the way must not share
    # its id with what was thrown away before.
    seen: list[Controller[Any]] = []

    def walk(node: Controller[Any]) -> Iterator[Operation]:
        if any(node is other for other in seen):
            return
        seen.append(node)
        for value in vars(type(node)).values():
            if hasattr(value, "operation"):
                yield value.operation
        for child in vars(node).values():
            if isinstance(child, Controller):
                yield from walk(child)
        sample = node.below("00000000-0000-4000-8000-000000000000")
        if sample is not None:
            yield from walk(sample)

    yield from walk(controller)
