# shellcheck shell=bash
# shellcheck disable=SC2034 # the plugin reads the variables
# SPDX-License-Identifier: Apache-2.0
# What DevStack has defined when it sources a plugin, as far as FLOCX's plugin uses it: variables, and functions that
# write each call with its arguments to $CALLS. Functions whose effect the plugin reads back have it, on files.
# Each function takes as many arguments as DevStack's own; other numbers are refused.

# What neither bash nor DevStack nor the plugin defines.
command_not_found_handle() {
    echo "$1" >>"$UNKNOWN"
    exit 127
}

record() {
    local word line=$1
    shift
    for word in "$@"; do
        line+=$'\t'$word
    done
    echo "$line" >>"$CALLS"
}

# Record the calling function with its arguments, whose number must lie between two.
# called MINIMUM MAXIMUM ARGUMENTS...
called() {
    local minimum=$1 maximum=$2
    shift 2
    if (($# < minimum || $# > maximum)); then
        echo "${FUNCNAME[1]} takes $minimum to $maximum arguments, not $#: $*" >>"$UNKNOWN"
        exit 127
    fi
    record "${FUNCNAME[1]}" "$@"
}

# --- variables -------------------------------------------------------------------------------------------------------

DEST=$ROOT/dest
DATA_DIR=$ROOT/data
STACK_USER=$(id -un)
SERVICE_HOST=192.0.2.7
SERVICE_PROTOCOL=http
SERVICE_PASSWORD=$PASSWORD
SERVICE_PROJECT_NAME=service
SERVICE_DOMAIN_NAME=Default
SERVICE_TIMEOUT=60
KEYSTONE_SERVICE_URI=http://192.0.2.7/identity
REGION_NAME=RegionOne
SSL_BUNDLE_FILE=$DATA_DIR/ca-bundle.pem
ENABLE_DEBUG_LOG_LEVEL=True
NOVA_CONF=$ROOT/nova/nova.conf

# --- functions-common ------------------------------------------------------------------------------------------------

echo_summary() { called 1 9 "$@"; }
define_plugin() { called 1 1 "$@"; }

enable_service() {
    called 1 99 "$@"
    local service
    for service in "$@"; do
        if [[ ",$DISABLED_SERVICES," != *",$service,"* ]]; then
            ENABLED_SERVICES+=,$service
        fi
    done
}

is_service_enabled() {
    local service
    for service in "$@"; do
        if [[ ",$ENABLED_SERVICES," == *",$service,"* ]]; then
            return 0
        fi
        # DevStack asks such a function where there is one; for Nova it has one.
        if [[ $service == nova && ",$ENABLED_SERVICES," == *",n-"* ]]; then
            return 0
        fi
    done
    return 1
}

trueorfalse() {
    local value=${!2:-}
    case ${value:-$1} in
        0 | no | No | NO | false | False | FALSE) echo False ;;
        1 | yes | Yes | YES | true | True | TRUE) echo True ;;
        *) echo "$1" ;;
    esac
}

die() {
    called 2 99 "$@"
    echo "${*:2}" >&2
    exit 1
}

run_process() { called 2 5 "$@"; }
stop_process() { called 1 1 "$@"; }

wait_for_service() {
    called 2 2 "$@"
    [[ -z "${NOT_READY:-}" ]]
}

get_or_create_role() { called 1 1 "$@"; }
get_or_add_user_system_role() { called 3 4 "$@"; }
get_or_create_service() { called 3 3 "$@"; }
get_or_create_endpoint() { called 3 5 "$@"; }
sudo() { "$@"; }

# --- functions -------------------------------------------------------------------------------------------------------

setup_logging() {
    called 1 1 "$@"
    iniset "$1" DEFAULT use_journal True
}

# --- lib/keystone ----------------------------------------------------------------------------------------------------

create_service_user() { called 1 2 "$@"; }

configure_keystone_authtoken_middleware() {
    called 2 4 "$@"
    local section=${3:-keystone_authtoken}
    iniset "$1" "$section" auth_type password
    iniset "$1" "$section" auth_url "$KEYSTONE_SERVICE_URI"
    iniset "$1" "$section" username "$2"
    iniset "$1" "$section" password "$SERVICE_PASSWORD"
}

# --- lib/database ----------------------------------------------------------------------------------------------------

recreate_database() { called 1 1 "$@"; }

database_connection_url() {
    called 1 1 "$@"
    echo "$DATABASE_URL/$1?charset=utf8"
}

# --- lib/apache ------------------------------------------------------------------------------------------------------

apache_site_config_for() { echo "$ROOT/apache/$1.conf"; }

write_uwsgi_config() {
    called 3 5 "$@"
    rm -f "$1"
    iniset "$1" uwsgi module "$2"
    iniset "$1" uwsgi socket "$ROOT/uwsgi/$5.socket"
    mkdir -p "$ROOT/apache"
    echo "$3" >"$(apache_site_config_for "$5")"
}

remove_uwsgi_config() {
    called 2 2 "$@"
    rm -f "$1"
}

# --- inc/python ------------------------------------------------------------------------------------------------------

get_python_exec_prefix() { echo "$ROOT/bin"; }
pip_install() { called 1 99 "$@"; }

# --- inc/ini-config --------------------------------------------------------------------------------------------------

iniget() {
    awk -v section="[$2]" -v option="$3" '
        /^\[/ { inside = ($0 == section) }
        inside && $0 ~ "^" option "[ \t]*=" { sub(/^[^=]*=[ \t]*/, ""); print; exit }' "$1"
}

iniget_multiline() {
    awk -v section="[$2]" -v option="$3" '
        /^\[/ { inside = ($0 == section) }
        inside && $0 ~ "^" option "[ \t]*=" { sub(/^[^=]*=[ \t]*/, ""); printf "%s%s", between, $0; between = " " }
        END { print "" }' "$1"
}

inidelete() {
    called 3 3 "$@"
    local kept
    kept=$(awk -v section="[$2]" -v option="$3" '
        /^\[/ { inside = ($0 == section) }
        !(inside && $0 ~ "^" option "[ \t]*=")' "$1")
    echo "$kept" >"$1"
}

# Put a line for each value below the section, in the place of those that are there.
ini_replace() {
    local file=$1 section=$2 option=$3 lines written
    shift 3
    printf -v lines "$option = %s\n" "$@"
    [[ -e $file ]] || : >"$file"
    written=$(LINES_TO_ADD=${lines%?} awk -v section="[$section]" -v option="$option" '
        /^\[/ { inside = ($0 == section) }
        inside && $0 ~ "^" option "[ \t]*=" { next }
        { print }
        $0 == section { print ENVIRON["LINES_TO_ADD"]; seen = 1 }
        END { if (!seen) { print section; print ENVIRON["LINES_TO_ADD"] } }' "$file")
    echo "$written" >"$file"
}

iniset() {
    called 4 4 "$@"
    ini_replace "$@"
}

iniset_multiline() {
    called 4 99 "$@"
    ini_replace "$@"
}
