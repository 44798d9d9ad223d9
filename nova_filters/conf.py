# SPDX-License-Identifier: Apache-2.0
"""Options of the filter, in Nova's own configuration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from keystoneauth1 import loading
from oslo_config import cfg

from flocx_common.domain.errors import ConfigurationInvalid
from flocx_common.domain.holders import NodeAttributes

GROUP = cfg.OptGroup("flocx_filter", title="The FLOCX filter: who may land on which bare-metal node")

#: Nova's own section for its connection to Ironic.
NOVA_IRONIC = "ironic"

_SERVICE_TYPE = "baremetal"

OPTS = [
    cfg.StrOpt(
        "owner_attribute",
        default="properties/project_owner_id",
        help="Where a node says which project owns it: owner (the field), or properties/NAME. Where the property is "
        "missing the field counts; where they differ nobody can land on the node. The same as [ironic] "
        "owner_attribute of the provider.",
    ),
    cfg.StrOpt(
        "lessee_attribute",
        default="properties/project_id",
        help="Where the lessee of a node is read: lessee (the field), or properties/NAME. The same as [ironic] "
        "lessee_attribute of the provider.",
    ),
    cfg.BoolOpt(
        "mirror_lessee_field",
        default=False,
        help="Whether the provider writes the lessee into the field lessee, too. The same as [ironic] "
        "mirror_lessee_field of the provider.",
    ),
    cfg.FloatOpt(
        "max_age",
        default=1,
        min=0,
        max=300,
        help="Seconds for which the list of nodes may be used again, counted from before it was asked for. For that "
        "long a project can still land on a node that was taken from it. 0: ask for every request.",
    ),
    cfg.FloatOpt(
        "lookup_timeout",
        default=20,
        min=1,
        max=300,
        help="Seconds that one look-up may take, all pages together; then bare metal is refused. A look-up that takes "
        "longer than max_age serves the requests that waited for it, and no other.",
    ),
]


@dataclass(frozen=True, slots=True)
class FilterSettings:
    """What the filter is run with; times in seconds."""

    attributes: NodeAttributes
    max_age: float
    lookup_timeout: float


def register(conf: cfg.ConfigOpts) -> None:
    """Register the options of the filter and of a connection of its own."""
    conf.register_opts(OPTS, group=cfg.OptGroup(GROUP.name, title=GROUP.title))
    loading.register_auth_conf_options(conf, GROUP.name)
    loading.register_session_conf_options(conf, GROUP.name)
    loading.register_adapter_conf_options(conf, GROUP.name)
    conf.set_default("valid_interfaces", ["internal", "public"], group=GROUP.name)
    conf.set_default("service_type", _SERVICE_TYPE, group=GROUP.name)


def list_opts() -> list[tuple[str, Sequence[cfg.Opt]]]:
    """Return every option by group, for oslo.config's generator."""
    return [
        (
            str(GROUP.name),
            [
                *OPTS,
                *loading.get_auth_common_conf_options(),
                *loading.get_session_conf_options(),
                *loading.get_adapter_conf_options(),
                *loading.get_auth_plugin_conf_options("password"),
            ],
        )
    ]


def settings_of(conf: cfg.ConfigOpts) -> FilterSettings:
    """Return what is configured.

    :raises ConfigurationInvalid: an option has a value it cannot have.
    """
    try:
        options = conf[GROUP.name]
        attributes = NodeAttributes(
            owner=options.owner_attribute,
            lessee=options.lessee_attribute,
            mirror_lessee=options.mirror_lessee_field,
        )
        return FilterSettings(attributes, float(options.max_age), float(options.lookup_timeout))
    except cfg.Error as error:
        raise ConfigurationInvalid(f"[{GROUP.name}] {' '.join(str(error).split())}") from None
    except ConfigurationInvalid as error:
        raise ConfigurationInvalid(f"[{GROUP.name}] {error.detail}") from None


def connection_section(conf: cfg.ConfigOpts) -> str:
    """Return the section that says how to reach Ironic: the filter's own where it has credentials, else Nova's."""
    options = conf[GROUP.name]
    return str(GROUP.name) if options.auth_type or options.auth_section else NOVA_IRONIC
