#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs and starts on loopback the databases and brokers that FLOCX is tested with.
# See: tools/services.sh --help
set -euo pipefail

usage() {
    cat <<'TEXT'
usage: tools/services.sh [--help] [postgresql] [mariadb] [rabbitmq]

Makes sure that these services answer on 127.0.0.1; without names, all of them.

  postgresql  5432  user postgres, trusted without a password
  mariadb     3306  user root, empty password
  rabbitmq    5672  guest/guest; FLOCX itself has no broker, Nova beside it has

What answers already is left as it is. What does not is installed from Debian's
packages if it is missing, and started; that takes root on Debian or Ubuntu.
Only for machines that are thrown away after the tests: the accounts are open to
everybody on the machine.
TEXT
}

answers() {
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# usage: await_port NAME PORT
await_port() {
    local second
    for second in $(seq 60); do
        if answers "$2"; then
            echo "$1 answers on 127.0.0.1:$2"
            return
        fi
        [ $((second % 10)) -ne 0 ] || echo "... waiting for $1 ($second s)"
        sleep 1
    done
    echo "$1 does not answer on 127.0.0.1:$2 after 60 s" >&2
    return 1
}

# usage: install_package COMMAND PACKAGE
install_package() {
    command -v "$1" >/dev/null && return
    if ! command -v apt-get >/dev/null || [ "$(id -u)" -ne 0 ]; then
        echo "$2 is not installed, and installing it takes apt-get and root" >&2
        return 1
    fi
    echo "installing $2"
    [ -n "${fetched:-}" ] || apt-get -qq update
    fetched=yes
    # Packages start what they bring as soon as they can; here it is started below, and on loopback.
    DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get -qq install --yes --no-install-recommends "$2" >/dev/null
}

start_postgresql() {
    install_package pg_ctlcluster postgresql
    local version settings
    version=$(pg_lsclusters -h | awk '$2 == "main" { print $1; exit }')
    settings="/etc/postgresql/$version/main"
    # Whoever is on this machine may be any user, on this machine only.
    printf 'local all all trust\nhost all all 127.0.0.1/32 trust\n' >"$settings/pg_hba.conf"
    pg_conftool "$version" main set listen_addresses localhost
    pg_conftool "$version" main set port 5432
    pg_ctlcluster --skip-systemctl-redirect "$version" main restart
}

start_mariadb() {
    install_package mariadbd mariadb-server
    install -d -o mysql -g mysql /run/mysqld
    start-stop-daemon --start --oknodo --background --exec "$(command -v mariadbd)" -- \
        --user=mysql --bind-address=127.0.0.1 --port=3306
    await_port mariadb 3306
    mariadb --user=root --socket=/run/mysqld/mysqld.sock <<'SQL'
ALTER USER root@localhost IDENTIFIED VIA mysql_native_password USING PASSWORD('');
CREATE USER IF NOT EXISTS root@127.0.0.1 IDENTIFIED VIA mysql_native_password USING PASSWORD('');
GRANT ALL PRIVILEGES ON *.* TO root@127.0.0.1 WITH GRANT OPTION;
SQL
}

start_rabbitmq() {
    install_package rabbitmq-server rabbitmq-server
    RABBITMQ_NODENAME=rabbit@localhost RABBITMQ_NODE_IP_ADDRESS=127.0.0.1 RABBITMQ_NODE_PORT=5672 \
        RABBITMQ_DIST_PORT=25672 ERL_EPMD_ADDRESS=127.0.0.1 \
        RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS='-kernel inet_dist_use_interface {127,0,0,1}' \
        rabbitmq-server -detached
}

# usage: ensure NAME PORT
ensure() {
    if answers "$2"; then
        echo "$1 answers on 127.0.0.1:$2"
        return
    fi
    "start_$1"
    await_port "$1" "$2"
}

for name in "$@"; do
    case $name in
        -h | --help) usage; exit ;;
        postgresql | mariadb | rabbitmq) ;;
        *) echo "unknown service '$name'; known are postgresql, mariadb and rabbitmq" >&2; exit 2 ;;
    esac
done
[ $# -gt 0 ] || set -- postgresql mariadb rabbitmq
for name in "$@"; do
    case $name in
        postgresql) ensure postgresql 5432 ;;
        mariadb) ensure mariadb 3306 ;;
        rabbitmq) ensure rabbitmq 5672 ;;
    esac
done
