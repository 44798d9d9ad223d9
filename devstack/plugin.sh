# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# The DevStack plugin of FLOCX. DevStack sources it once a phase, as: plugin.sh MODE [PHASE]

_flocx_plugin_dir=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=devstack/lib/services
source "$_flocx_plugin_dir/lib/services"
# shellcheck source=devstack/lib/configuration
source "$_flocx_plugin_dir/lib/configuration"
# shellcheck source=devstack/lib/accounts
source "$_flocx_plugin_dir/lib/accounts"
# shellcheck source=devstack/lib/neighbours
source "$_flocx_plugin_dir/lib/neighbours"

if is_flocx_enabled; then
    case "$1/${2:-}" in
        stack/install)
            echo_summary "Installing FLOCX"
            install_flocx
            ;;
        stack/post-config)
            echo_summary "Configuring FLOCX"
            configure_flocx
            create_flocx_accounts
            configure_ironic_for_flocx
            configure_nova_for_flocx
            ;;
        stack/extra)
            echo_summary "Starting FLOCX"
            init_flocx
            start_flocx
            ;;
        stack/test-config)
            await_flocx
            ;;
        unstack/*)
            stop_flocx
            ;;
        clean/*)
            restore_nova_after_flocx
            restore_ironic_after_flocx
            cleanup_flocx
            ;;
    esac
fi
