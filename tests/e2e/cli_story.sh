#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The story of the quickstart in commands of the OpenStack client alone. Every
# step is checked; the exit status is 0 only if all of them hold.
#
# A quickstart must be running, or its services, and OS_CLIENT_CONFIG_FILE must
# name its clouds.yaml. It can be played again; nodes a01, a02 and a03 must be in
# nobody's use.
set -euo pipefail

# Seconds for which the contract lasts, and for which anything is waited for. The
# contract must outlast steps 5 to 7 on a busy machine.
readonly CONTRACT=40 PATIENCE=90

step() {
    printf '\n%s\n' "$*"
}

# as USER COMMAND...: run a FLOCX command as somebody.
as() {
    local user=$1
    shift
    openstack --os-cloud "$user" flocx "$@"
}

# holds WHAT TEST...: check that a test holds.
holds() {
    local what=$1
    shift
    if ! "$@"; then
        printf '   FAILED %s\n' "$what" >&2
        exit 1
    fi
    printf '   ok %s\n' "$what"
}

# is VALUE WANTED: whether a value is the wanted one; it is shown if it is not.
is() {
    [[ $1 == "$2" ]] || { printf '   %s, and not %s\n' "${1:-nothing}" "$2" >&2 && return 1; }
}

# ends_with STATUS COMMAND...: whether a command ends with a status.
ends_with() {
    local wanted=$1 status=0
    shift
    "$@" || status=$?
    is "status $status" "status $wanted"
}

# becomes WANTED COMMAND...: whether a command prints a value at last.
becomes() {
    local wanted=$1 end=$((SECONDS + PATIENCE)) seen
    shift
    while seen=$("$@") && [[ $seen != "$wanted" ]]; do
        ((SECONDS < end)) || break
        sleep 0.2
    done
    is "$seen" "$wanted"
}

access() {
    as "$1" node access "$2" -f value -c allowed
}

bid() {
    as consumer-a bid show "$1" -f value -c "$2"
}

contract() {
    as consumer-a contract show "$1" -f value -c "$2"
}

# Names of this time, as the last time's bids are still to be seen.
RUN="story-$$-$(date +%s)"
readonly RUN

step '1  A consumer wants to launch on bare metal, and no node is theirs to use'
holds 'consumer-a may not use a01' is "$(access consumer-a a01)" False

step '2  An owner tries to offer a node that is not theirs'
before=$(as owner-b offer list --own --limit 0 -f value -c uuid)
holds 'it is refused: there is no such node among theirs' \
    ends_with 3 as owner-b offer create --node a01 --reserve-price 1.50 -f value -c result
holds 'nothing was created' is "$(as owner-b offer list --own --limit 0 -f value -c uuid)" "$before"

step '3  The owner offers nodes that are theirs'
for node in a01 a02 a03; do
    # What a story before this one has left.
    as owner-a offer list --own --node "$node" --status available --status suspended -f value -c uuid |
        while read -r left; do as owner-a offer delete "$left" </dev/null; done
done
results=$(as owner-a offer create --node a01 --node a02 --node a03 --reserve-price 1.50 --for 30d --wait \
    -f value -c result -c publication)
holds 'all are offered and published' is "$results" $'offered published\noffered published\noffered published'
for node in a01 a02 a03; do
    cpus=$(as consumer-a offer list --node "$node" --status available --require 'cpus = 32' -f value -c node_name)
    holds "$node is on the market with its hardware description" is "$cpus" "$node"
done

step '4  A consumer bids for cpus = 32 and local_gb > 9000'
as consumer-a bid create --name "$RUN-large" --require 'cpus = 32' --require 'local_gb > 9000' \
    --limit-price 2.00 --duration "${CONTRACT}s" -f value -c status
sentence=$(as consumer-a bid explain "$RUN-large" -f value -c sentence)
# shellcheck disable=SC2016 # the requirement stands between backquotes
holds "it says why: $sentence" is "$sentence" 'All 3 offers in the window fail `local_gb > 9000` (largest: 1024).'
holds 'and what would do instead' is "$(as consumer-a bid explain "$RUN-large" -f value -c nearest)" \
    '{"change": {"requirements": [["cpus", "==", 32], ["local_gb", ">=", 1024]]}}'
holds 'waiting for it is in vain for now' \
    ends_with 7 as consumer-a bid wait "$RUN-large" --timeout 1s -f value -c status
holds 'the bid stays open' is "$(bid "$RUN-large" status)" open
as consumer-a bid cancel "$RUN-large"
holds 'and is cancelled by its project' is "$(bid "$RUN-large" status)" cancelled
holds 'a cancelled bid cannot be changed' ends_with 5 as consumer-a bid set "$RUN-large" --limit-price 3

step '5  The consumer bids again, for cpus = 32 and local_gb > 512'
placed=$(as consumer-a bid create --name "$RUN" --require 'cpus = 32' --require 'local_gb > 512' --limit-price 2.00 \
    --duration "${CONTRACT}s" --wait -f value -c status -c contract_uuid)
uuid=${placed#*$'\n'}
holds "there is a contract, $uuid" is "${placed%$'\n'*}" matched
holds 'the consumer is told of it' is "$(as consumer-a event list --type contract.created --entity "$uuid" \
    -f value -c event_type)" contract.created
holds 'and so is the owner' is "$(as owner-a event list --type contract.created --entity "$uuid" \
    -f value -c event_type)" contract.created

step '6  The contract starts: the provider marks the node with the project of the consumer'
as consumer-a contract wait "$RUN" --timeout "${PATIENCE}s"
node=$(as consumer-a allocation list --contract "$RUN" -f value -c node_name)
holds "$node carries consumer-a" is "$(as owner-a node show "$node" -f value -c lessee_project_name)" consumer-a

step '7  The consumer launches again; nobody else can'
holds "consumer-a may use $node" is "$(access consumer-a "$node")" True
holds 'consumer-b may not' is "$(access consumer-b "$node")" False
holds 'owner-a may not for now' is "$(access owner-a "$node")" False

step '8  The contract ends: the node is taken back and is the owner'"'"'s again'
holds 'the contract is completed' becomes completed contract "$RUN" status
holds "$node is released" becomes released as consumer-a allocation list --contract "$RUN" -f value -c status
holds 'owner-a may use it again' is "$(access owner-a "$node")" True
holds 'consumer-a may not any more' is "$(access consumer-a "$node")" False
holds 'it carries nobody' is "$(as owner-a node list --name "$node" -f value -c lessee_project_name)" None
holds 'consumer-b never sees the contract' ends_with 3 as consumer-b contract show "$uuid" -f value -c uuid
amount=$(contract "$RUN" amount)
most=$(awk "BEGIN { printf \"%.6f\", 1.50 * $CONTRACT / 3600 }")
holds "the consumer pays $amount: something, and no more than $most" \
    awk "BEGIN { exit !($amount > 0 && $amount <= $most) }"
holds 'what the owner gets is what the consumer pays' is \
    "$(as owner-a allocation show --contract "$uuid" --node "$node" -f value -c amount)" "$amount"
holds 'reports show the node as used' is \
    "$(as owner-a allocation list --node "$node" --contract "$uuid" -f value -c status)" released

printf '\nEvery step of the story held.\n'
