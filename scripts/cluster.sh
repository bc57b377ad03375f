# shellcheck shell=bash disable=SC2154,SC2034  # run sources this; they share their names
# The private PostgreSQL of this checkout: data in .local/pg, no network, one socket.
# Durability is left as PostgreSQL has it: fsync on, commits waited for.

as_server=()
uses_cluster=

# Where it is, and as whom it runs. PostgreSQL refuses to run as root: in a user
# namespace root passes for postgres and still owns the files, even below /root; where
# namespaces are forbidden (containers), postgres runs it, in a folder it can reach.
find_cluster() {
    cluster_hash=$(sha256sum <<<"$root" | cut -c1-12)
    cluster_name=movil311-$cluster_hash
    cluster_home=$store
    if ((EUID == 0)) && id postgres &>/dev/null; then
        as_server=(unshare --user "--map-user=$(id -u postgres)" "--map-group=$(id -g postgres)")
        if ! "${as_server[@]}" true 2>/dev/null; then
            as_server=(setpriv --reuid postgres --regid postgres --init-groups)
            cluster_home=/var/lib/$cluster_name
        fi
    fi
    data=$cluster_home/pg
    socket=$cluster_home/socket
    # A socket's whole path has 107 bytes, and a plain one needs no quotes anywhere.
    if [[ ! $socket =~ ^[A-Za-z0-9/._-]{1,85}$ ]]; then
        socket=/tmp/$cluster_name
    fi
    # Understood alike by Django's settings, psql, ogr2ogr and QGIS.
    cluster_url="postgresql://movil311@/movil311?host=$socket"
}

# The newest PostgreSQL with PostGIS; for a cluster that exists, the one that made it.
find_postgresql() {
    local versions version
    if [[ -e $data/PG_VERSION ]]; then
        versions=$(<"$data/PG_VERSION")
        postgresql_packages=("postgresql-$versions" "postgresql-$versions-postgis-3")
    else
        versions=$(find /usr/lib/postgresql -mindepth 1 -maxdepth 1 -printf '%f\n' 2>/dev/null | sort -rV || true)
        postgresql_packages=(postgresql postgresql-postgis)
    fi
    for version in $versions; do
        bin=/usr/lib/postgresql/$version/bin
        if [[ -x $bin/initdb && -e /usr/share/postgresql/$version/extension/postgis.control ]]; then
            return 0 # said in full: as part of a trap, a bare return says something else
        fi
    done
    return 1
}

# From its folder, because pg_ctl hands paths to a shell, and a checkout's may hold
# anything; without the locks, which the server would hold for as long as it lives.
server() { (cd "$cluster_home" && exec "${as_server[@]}" "$bin/$1" "${@:2}" </dev/null 8>&- 9>&-); }

# Every process of it carries its name, the orphans of a killed postmaster too.
server_lives() { grep -Eaqs "(cluster_name=|^postgres: )$cluster_name" /proc/[0-9]*/cmdline; }

use_cluster() {
    flock -s 8
    uses_cluster=yes
    start_cluster
    export DATABASE_URL=$cluster_url
}

start_cluster() {
    # Somebody's PGPORT or PGHOST would lead elsewhere; and so psql needs no arguments.
    unset "${!PG@}"
    export PGHOST=$socket PGUSER=movil311 PGDATABASE=movil311
    ! "$bin/psql" -Xqc '' 2>/dev/null || return 0
    [[ -e $data/PG_VERSION ]] || make_cluster
    private_folder "$socket"
    # After a reboot the number in a left-over pid file may be anybody's.
    server_lives || rm -f "$data/postmaster.pid" "$socket"/.s.PGSQL.*
    local tries=0
    until "$bin/pg_isready" -q || launch; do
        # The orphans hold the old server's memory until they notice its death.
        ((++tries < 15)) || die "PostgreSQL no arranca; vea $cluster_home/postgres.log"
        sleep 1
    done
    "$bin/psql" -Xqc '' 2>/dev/null || "$bin/createdb"
}
launch() {
    local settings="-c listen_addresses= -c unix_socket_permissions=0700 -k $socket"
    settings+=" -c cluster_name=$cluster_name -c shared_buffers=256MB -c max_connections=100"
    server pg_ctl start --silent --wait --timeout 300 --pgdata pg \
        --log postgres.log --options "$settings" &>/dev/null
}
make_cluster() {
    say "Creo la base de datos privada en ${data#"$root"/}"
    private_folder "$cluster_home"
    rm -rf "$data.new"
    server initdb --pgdata pg.new --username movil311 --auth trust --encoding UTF8 \
        --locale C.UTF-8 --data-checksums >/dev/null
    # Renamed when whole: an initdb killed half-way leaves a folder behind.
    mv "$data.new" "$data"
}
private_folder() {
    [[ -d $1 ]] || mkdir -m 700 "$1"
    if [[ ${as_server[0]:-} == setpriv ]]; then
        chown postgres: "$1"
    else
        [[ -O $1 ]] || die "$1 es de otra cuenta"
    fi
}

stop_cluster() {
    find_cluster
    if find_postgresql && server_lives; then
        server pg_ctl stop --silent --wait --timeout 60 --mode fast --pgdata pg >/dev/null
        rmdir "$socket" # which may be outside .local
    fi
}

# The last one out turns off the light, unless it was turned on by hand.
leave_cluster() {
    [[ -n $uses_cluster ]] || return 0
    flock 9
    if [[ ! -e $store/pg.keep ]] && flock -n 8; then
        stop_cluster
    fi
}
