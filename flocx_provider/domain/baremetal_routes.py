# SPDX-License-Identifier: Apache-2.0
"""What of Ironic's API projects can reach through the provider: the whole of it, as a table.

What is not in the table is refused, whoever asks. For each route the table says
which side of a node it is for, whether an owner may use it while a lessee holds
the node, and which query parameters and fields of a body go through. Policy
rules narrow this further; they cannot widen it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

#: Text that can be a segment of a path: names and UUIDs as Ironic knows them.
_SEGMENT = re.compile(r"[A-Za-z0-9._~-]{1,255}")
_TRAIT = re.compile(r"[A-Z0-9_]{1,255}")

#: Words that Ironic takes for something else than a node where a node's name can stand.
RESERVED = frozenset(
    {
        "allocation",
        "bios",
        "children",
        "detail",
        "firmware",
        "history",
        "inventory",
        "maintenance",
        "management",
        "portgroups",
        "ports",
        "states",
        "traits",
        "validate",
        "vendor_passthru",
        "vifs",
        "vmedia",
        "volume",
    }
)


class Action(StrEnum):
    """What is done to a node; each has a policy rule of its own."""

    GET = "get"
    POWER = "power"
    PROVISION = "provision"
    BOOT_DEVICE = "boot_device"
    CONSOLE = "console"
    MAINTENANCE = "maintenance"
    MANAGE = "manage"
    UPDATE = "update"
    PORTS = "ports"
    VOLUME = "volume"
    CREATE = "create"
    DELETE = "delete"
    #: Besides another action: driver, interfaces, and how to reach the BMC.
    DRIVER_INFO = "driver_info"
    #: Besides another action: an owner's, on a node that a lessee holds.
    HELD = "held"


class Kind(StrEnum):
    """What a route is about, which decides how its node is found and what its answer shows."""

    ROOT = "root"
    NODES = "nodes"
    NODE = "node"
    STATES = "states"
    #: Something below one node.
    PART = "part"
    #: All ports, port groups or volume connectors.
    CHILDREN = "children"
    CHILD = "child"


@dataclass(frozen=True, slots=True, kw_only=True)
class Belongings:
    """A kind of things that belong to nodes.

    ``key`` names them in a body, ``brief`` are the fields of an entry when none
    are asked for, ``fields`` those that may be written.
    """

    key: str
    path: str
    brief: tuple[str, ...]
    fields: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One route of Ironic's API that goes through.

    ``lessee`` says that it is for lessees, too; ``held`` that the owner may use
    it while a lessee holds the node. ``lessee_query`` and ``lessee_body`` are
    what of query and body a lessee may send. ``body`` None takes none;
    ``patch`` makes it a JSON patch of these fields.
    """

    method: str
    path: str
    about: str
    action: Action = Action.GET
    kind: Kind = Kind.PART
    lessee: bool = False
    held: bool = False
    query: frozenset[str] = frozenset()
    lessee_query: frozenset[str] = frozenset()
    body: frozenset[str] | None = None
    lessee_body: frozenset[str] = frozenset()
    patch: bool = False
    collection: Belongings | None = None

    @property
    def shown(self) -> str:
        """The route as the provider serves it."""
        return f"{self.method} /baremetal{self.path}"


@dataclass(frozen=True, slots=True)
class Matched:
    """A route and the variables of its path."""

    route: Route
    variables: Mapping[str, str]


_FIELDS = frozenset({"fields"})
_PAGING = frozenset({"limit", "marker", "sort_key", "sort_dir", "fields", "detail"})
_SHOWN_FILTERS = frozenset({"associated", "instance_uuid", "maintenance", "provision_state", "resource_class"})
_OWNER_FILTERS = frozenset({"driver", "fault", "description_contains", "instance_name", "retired"})

#: Fields of a node that its owner may change while nobody else holds it.
NODE_FIELDS = frozenset(
    {
        "description",
        "extra",
        "instance_info",
        "name",
        "network_data",
        "properties",
        "resource_class",
        "retired",
        "retired_reason",
    }
)
#: Those of them that a lessee does not feel.
HELD_FIELDS = frozenset({"description", "retired", "retired_reason"})
#: Fields of a node that say what it is driven by.
DRIVER_FIELDS = frozenset(
    {"driver", "driver_info"}
    | {
        f"{name}_interface"
        for name in (
            "bios",
            "boot",
            "console",
            "deploy",
            "firmware",
            "inspect",
            "management",
            "power",
            "raid",
            "rescue",
            "vendor",
        )
    }
)

PORTS = Belongings(
    key="ports",
    path="/v1/ports",
    brief=("uuid", "address"),
    fields=frozenset(
        {
            "address",
            "category",
            "description",
            "extra",
            "is_smartnic",
            "local_link_connection",
            "name",
            "physical_network",
            "portgroup_uuid",
            "pxe_enabled",
            "vendor",
        }
    ),
)
PORTGROUPS = Belongings(
    key="portgroups",
    path="/v1/portgroups",
    brief=("uuid", "address", "name"),
    fields=frozenset({"address", "extra", "mode", "name", "properties", "standalone_ports_supported"}),
)
CONNECTORS = Belongings(
    key="connectors",
    path="/v1/volume/connectors",
    brief=("uuid", "node_uuid", "type", "connector_id"),
    fields=frozenset({"type", "connector_id", "extra"}),
)


def _node(method: str, below: str, about: str, action: Action = Action.GET, **more: object) -> Route:
    return Route(method=method, path=f"/v1/nodes/{{node}}{below}", about=about, action=action, **more)  # type: ignore[arg-type]


def _children(collection: Belongings, action: Action, what: str, filters: frozenset[str]) -> tuple[Route, ...]:
    path, one = collection.path, f"{collection.path}/{{uuid}}"
    query = _PAGING | filters
    detail = () if collection is CONNECTORS else (("/detail", query - {"fields", "detail"}),)
    return (
        *(
            Route(
                method="GET",
                path=path + suffix,
                about=f"list the {what}s of its nodes",
                kind=Kind.CHILDREN,
                held=True,
                query=allowed,
                collection=collection,
            )
            for suffix, allowed in (("", query), *detail)
        ),
        Route(
            method="POST",
            path=path,
            about=f"add a {what} to a node",
            action=action,
            kind=Kind.CHILDREN,
            body=collection.fields | {"uuid", "node_uuid", "node_ident"},
            collection=collection,
        ),
        Route(
            method="GET",
            path=one,
            about=f"show a {what}",
            kind=Kind.CHILD,
            held=True,
            query=_FIELDS,
            collection=collection,
        ),
        Route(
            method="PATCH",
            path=one,
            about=f"change a {what}",
            action=action,
            kind=Kind.CHILD,
            body=collection.fields,
            patch=True,
            collection=collection,
        ),
        Route(
            method="DELETE",
            path=one,
            about=f"remove a {what}",
            action=action,
            kind=Kind.CHILD,
            collection=collection,
        ),
    )


#: Every route there is.
ROUTES: Sequence[Route] = (
    Route(method="GET", path="/", about="see the versions", kind=Kind.ROOT, lessee=True, held=True),
    Route(method="GET", path="/v1", about="see version 1", kind=Kind.ROOT, lessee=True, held=True),
    Route(
        method="GET",
        path="/v1/nodes",
        about="list nodes",
        kind=Kind.NODES,
        lessee=True,
        held=True,
        query=_PAGING | _SHOWN_FILTERS | _OWNER_FILTERS,
        lessee_query=_PAGING | _SHOWN_FILTERS,
    ),
    Route(
        method="GET",
        path="/v1/nodes/detail",
        about="list nodes with all that is shown of them",
        kind=Kind.NODES,
        lessee=True,
        held=True,
        query=(_PAGING | _SHOWN_FILTERS | _OWNER_FILTERS) - {"fields", "detail"},
        lessee_query=(_PAGING | _SHOWN_FILTERS) - {"fields", "detail"},
    ),
    Route(
        method="POST",
        path="/v1/nodes",
        about="enrol a node of the project's own",
        action=Action.CREATE,
        kind=Kind.NODES,
        body=(NODE_FIELDS - {"retired", "retired_reason", "instance_info"}) | DRIVER_FIELDS | {"uuid"},
    ),
    _node("GET", "", "show a node", kind=Kind.NODE, lessee=True, held=True, query=_FIELDS, lessee_query=_FIELDS),
    _node(
        "PATCH",
        "",
        "change a node",
        Action.UPDATE,
        kind=Kind.NODE,
        # Which of its fields can be changed on a held node is decided field by field.
        held=True,
        query=frozenset({"reset_interfaces"}),
        body=NODE_FIELDS | DRIVER_FIELDS,
        patch=True,
    ),
    _node("DELETE", "", "remove a node", Action.DELETE, kind=Kind.NODE),
    _node("GET", "/states", "show its states", kind=Kind.STATES, lessee=True, held=True),
    _node(
        "PUT",
        "/states/power",
        "switch it on or off, or reboot it",
        Action.POWER,
        lessee=True,
        body=frozenset({"target", "timeout"}),
        lessee_body=frozenset({"target", "timeout"}),
    ),
    _node(
        "PUT",
        "/states/provision",
        "deploy, undeploy or rebuild it; an owner also everything else that Ironic knows",
        Action.PROVISION,
        lessee=True,
        body=frozenset(
            {
                "target",
                "configdrive",
                "clean_steps",
                "deploy_steps",
                "service_steps",
                "rescue_password",
                "disable_ramdisk",
            }
        ),
        lessee_body=frozenset({"target", "configdrive"}),
    ),
    _node("GET", "/states/console", "read where its console is", Action.CONSOLE, lessee=True),
    _node(
        "PUT",
        "/states/console",
        "start or stop its console",
        Action.CONSOLE,
        lessee=True,
        body=frozenset({"enabled"}),
        lessee_body=frozenset({"enabled"}),
    ),
    _node("GET", "/management/boot_device", "show its boot device", lessee=True, held=True),
    _node("GET", "/management/boot_device/supported", "list the boot devices it can have", lessee=True, held=True),
    _node(
        "PUT",
        "/management/boot_device",
        "set its boot device",
        Action.BOOT_DEVICE,
        lessee=True,
        body=frozenset({"boot_device", "persistent"}),
        lessee_body=frozenset({"boot_device", "persistent"}),
    ),
    _node("PUT", "/management/inject_nmi", "inject a non-maskable interrupt", Action.MANAGE, body=frozenset()),
    _node("PUT", "/maintenance", "put it into maintenance", Action.MAINTENANCE, held=True, body=frozenset({"reason"})),
    _node("DELETE", "/maintenance", "take it out of maintenance", Action.MAINTENANCE, held=True),
    _node("GET", "/validate", "let Ironic check its drivers", held=True),
    _node("GET", "/traits", "list its traits", held=True),
    _node("PUT", "/traits", "set its traits", Action.MANAGE, body=frozenset({"traits"})),
    _node("DELETE", "/traits", "remove its traits", Action.MANAGE),
    _node("PUT", "/traits/{trait}", "add a trait", Action.MANAGE, body=frozenset()),
    _node("DELETE", "/traits/{trait}", "remove a trait", Action.MANAGE),
    _node("GET", "/bios", "list its BIOS settings", held=True, query=frozenset({"detail", "fields"})),
    _node("GET", "/bios/{setting}", "show a BIOS setting", held=True),
    _node("GET", "/firmware", "list its firmware", held=True),
    _node("GET", "/inventory", "show what its inspection found", held=True),
    _node(
        "GET",
        "/history",
        "list what happened to it",
        held=True,
        query=frozenset({"detail", "limit", "marker", "sort_key", "sort_dir"}),
    ),
    _node("GET", "/history/{event}", "show what happened to it", held=True),
    _node("GET", "/ports", "list its ports", held=True, query=_PAGING),
    _node("GET", "/ports/detail", "list its ports in full", held=True, query=_PAGING - {"fields", "detail"}),
    _node("GET", "/portgroups", "list its port groups", held=True, query=_PAGING),
    _node("GET", "/portgroups/detail", "list its port groups in full", held=True, query=_PAGING - {"fields", "detail"}),
    _node("GET", "/volume/connectors", "list its volume connectors", held=True, query=_PAGING),
    *_children(PORTS, Action.PORTS, "port", frozenset({"node", "node_uuid", "address"})),
    *_children(PORTGROUPS, Action.PORTS, "port group", frozenset({"node", "address"})),
    *_children(CONNECTORS, Action.VOLUME, "volume connector", frozenset({"node"})),
)


def is_name(text: str) -> bool:
    """Tell whether text can be the name or UUID of a node, a port or the like."""
    return _SEGMENT.fullmatch(text) is not None and text not in (".", "..") and text not in RESERVED


def segments_of(path: str) -> tuple[str, ...] | None:
    """Return the segments of a path below ``/baremetal``, None for one that no route has.

    One slash at the end makes no difference, as in Ironic itself.
    """
    if path in ("", "/"):
        return ()
    segments = path.removesuffix("/").split("/")[1:] if path.startswith("/") else [""]
    if any(not _SEGMENT.fullmatch(one) or one in (".", "..") for one in segments):
        return None
    return tuple(segments)


def match(method: str, path: str) -> Matched | frozenset[str]:
    """Return the route that a request is for, or the methods that the path has: none where nothing is."""
    segments = segments_of(path)
    methods: set[str] = set()
    if segments is not None:
        for route in ROUTES:
            variables = _variables(route, segments)
            if variables is not None:
                if route.method == method:
                    return Matched(route, variables)
                methods.add(route.method)
    return frozenset(methods)


def _variables(route: Route, segments: tuple[str, ...]) -> Mapping[str, str] | None:
    pattern = tuple(route.path.strip("/").split("/")) if route.path != "/" else ()
    if len(pattern) != len(segments):
        return None
    variables = {}
    for word, segment in zip(pattern, segments, strict=True):
        if not word.startswith("{"):
            if word != segment:
                return None
        elif not is_name(segment) or (word == "{trait}" and not _TRAIT.fullmatch(segment)):
            return None
        else:
            variables[word.strip("{}")] = segment
    return variables
