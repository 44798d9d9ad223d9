# SPDX-License-Identifier: Apache-2.0
"""Options of the REST APIs."""

from __future__ import annotations

from oslo_config import cfg

GROUP = cfg.OptGroup("api", title="The REST API")
HTTP_BASIC = cfg.OptGroup("http_basic", title="Users in files, for machines without Keystone")
NOAUTH = cfg.OptGroup("noauth", title="The one user of auth_strategy = noauth")


def api_opts(port: int) -> list[cfg.Opt]:
    """Return the options of ``[api]``; ``port`` is the service's default."""
    return [
        cfg.HostAddressOpt("host", default="127.0.0.1", help="Address the api command listens on."),
        cfg.PortOpt("port", default=port, help="Port the api command listens on."),
        cfg.IntOpt(
            "threads",
            default=16,
            min=2,
            help="Requests the api command serves at once. Must exceed max_long_polls, or waiting requests "
            "leave no thread for others.",
        ),
        cfg.IntOpt(
            "drain_seconds",
            default=0,
            min=0,
            help="Seconds that /readyz says 503 before the api command stops after SIGTERM, so that a load balancer "
            "can look elsewhere first.",
        ),
        cfg.StrOpt(
            "auth_strategy",
            default="keystone",
            choices=[
                ("keystone", "tokens, checked by keystonemiddleware; needs flocx[openstack]"),
                ("http_basic", "users in files, see [http_basic]"),
                ("noauth", "everybody is the user of [noauth]; for development only"),
            ],
            help="How callers are authenticated.",
        ),
        cfg.URIOpt(
            "public_endpoint",
            schemes=["http", "https"],
            help="URL at which clients reach this service, for links in answers. Without it the request's own "
            "host is used.",
        ),
        cfg.IntOpt(
            "default_limit", default=100, min=1, help="Entities a page of a list has when no limit is asked for."
        ),
        cfg.IntOpt("max_limit", default=1000, min=1, help="Entities a page of a list has at most."),
        cfg.IntOpt(
            "max_body_size", default=1048576, min=1024, help="Largest request body, in bytes; larger ones get 413."
        ),
        cfg.IntOpt(
            "max_long_polls",
            default=8,
            min=0,
            help="Requests of one process that may wait for changes at once. Further ones are answered at once, "
            "with Retry-After.",
        ),
        cfg.FloatOpt("max_wait", default=60, min=0, help="Longest wait of one request for a change, in seconds."),
        cfg.FloatOpt(
            "wake_interval",
            default=0.2,
            min=0.01,
            help="Seconds between looks at the change counter while a request waits; one look serves all who wait.",
        ),
        cfg.BoolOpt(
            "check_answers",
            default=False,
            help="Check every answer against its published schema and fail where it does not fit; for tests.",
        ),
    ]


HTTP_BASIC_OPTS = [
    cfg.StrOpt(
        "htpasswd_file",
        default="/etc/flocx/htpasswd",
        help="Users and bcrypt digests of their passwords, as 'htpasswd -B' writes them. Read at every check.",
    ),
    cfg.StrOpt(
        "users_file",
        default="/etc/flocx/users.yaml",
        help="YAML file that gives each user its project and roles. A change takes effect with the next request.",
    ),
    cfg.FloatOpt(
        "cache_seconds",
        default=60,
        min=0,
        help="Seconds that good credentials are not checked again. A password changed in the file still opens "
        "for that long.",
    ),
]

NOAUTH_OPTS = [
    cfg.StrOpt("user_id", default="noauth", help="User id of every caller."),
    cfg.StrOpt("project_id", default="noauth", help="Project id of every caller."),
    cfg.ListOpt(
        "roles",
        default=["admin", "manager", "member", "reader", "service"],
        help="Roles of every caller.",
    ),
]
