# shellcheck shell=bash disable=SC2154  # run sources this; they share their names
# What ./run needs from the system and from PyPI. Says before it installs.

venv=$store/venv
for_tests=
missing=()

find_python() {
    local name
    for name in python3 python3.13 python3.12 python3.11; do
        # Asked, not guessed: pyenv has shims for versions that are not there.
        if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            printf '%s\n' "$name"
            return 0
        fi
    done
    return 1
}

look_for_packages() {
    missing=()
    local python version
    if [[ ! -x $venv/bin/python ]]; then
        if python=$(find_python); then
            # ensurepip is what Debian takes out of Python into another package.
            if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
                version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
                missing+=("python$version-venv")
            fi
        elif grep -qs '^VERSION_CODENAME=jammy' /etc/os-release; then
            missing+=(python3.11 python3.11-venv) # Ubuntu 22.04's python3 is 3.10
        else
            missing+=(python3 python3-venv)
        fi
    fi
    # GeoDjango loads the library; the boundaries are read with ogr2ogr.
    { has_library libgdal.so && command -v ogr2ogr >/dev/null; } || missing+=(gdal-bin)
    if [[ -z ${DATABASE_URL:-} ]]; then
        find_cluster
        find_postgresql || missing+=("${postgresql_packages[@]}")
    fi
    if [[ -n $for_tests ]]; then
        look_for_browser
    fi
}
look_for_browser() {
    # Playwright brings a Node of its own, which needs this and does not bring it.
    has_library libatomic.so.1 || missing+=(libatomic1)
    if ! command -v chromium chromium-browser google-chrome >/dev/null; then
        if grep -qs '^ID=ubuntu' /etc/os-release; then
            say "Las pruebas de navegador piden Chromium, que en Ubuntu es un snap: sudo snap install chromium"
        else
            missing+=(chromium)
        fi
    fi
}
# nginx and PgBouncer for the tests, which start them themselves, as they are shipped and
# documented. Their packages would open ports and stay: the programs alone are enough,
# unpacked here.
get_nginx() {
    # Ubuntu 22.04's nginx is an empty package; the program is in nginx-core.
    get nginx -v nginx nginx-core
}
get_pgbouncer() {
    ! has pgbouncer || return 0
    local libraries=()
    if command -v apt-cache >/dev/null; then
        # Those that nothing else here brings; their names change with the release.
        mapfile -t libraries < <(apt-cache depends pgbouncer 2>/dev/null |
            sed -nE 's/^ +Depends: (lib(c-?ares|event)[^ ]*)$/\1/p')
    fi
    get pgbouncer --version "${libraries[@]}" pgbouncer
}
has() { [[ -x $store/$1/usr/sbin/$1 ]] || PATH=$PATH:/usr/sbin command -v "$1" >/dev/null; }
# get <program> <its option that asks nothing of it> <package...>: up to the one that has it.
get() {
    local program=$1 asking=$2 package new=$store/$1.new
    shift 2
    ! has "$program" || return 0
    if ! command -v apt-get dpkg >/dev/null; then
        say "Sin $program se saltan sus pruebas: instálelo"
        return 0
    fi
    say "Bajo $program para las pruebas, sin instalarlo, a .local/$program"
    rm -rf "$new"
    mkdir "$new"
    for package; do
        [[ ! -x $new/usr/sbin/$program ]] || break
        download "$new" "$package" || die "apt-get no pudo bajar $package: $(tail -n 3 "$store/apt.log")"
    done
    LD_LIBRARY_PATH=$(echo "$new"/usr/lib/*-linux-*) "$new/usr/sbin/$program" "$asking" &>>"$store/apt.log" ||
        die "$program no funciona aquí; instálelo: apt-get install $program"
    rm -rf "${store:?}/$program"
    mv "$new" "$store/$program"
}
# download <folder> <package>: the package's files, below the folder.
download() {
    local sudo=()
    fetch() { (cd "$1" && apt-get -q -o Acquire::Retries=3 download "$2" </dev/null &>>"$store/apt.log"); }
    fetch "$@" || { { ((EUID == 0)) || ! may_sudo || sudo=(sudo); } && apt_get update && fetch "$@"; } || return 1
    dpkg -x "$1/$2"_*.deb "$1"
}
has_library() { [[ $(/sbin/ldconfig -p) == *"$1"* ]]; }

install_packages() {
    look_for_packages
    ((${#missing[@]})) || return 0
    command -v apt-get >/dev/null || die "faltan, con sus nombres de Debian: ${missing[*]}"
    local sudo=()
    if ((EUID)); then
        may_sudo || die "faltan paquetes y no hay sudo; como root: apt-get update && apt-get install -y --no-install-recommends ${missing[*]}"
        sudo=(sudo)
    fi
    say "Instalo con ${sudo[*]:+sudo }apt-get: ${missing[*]} (detalle en .local/apt.log)"
    if [[ " ${missing[*]} " == *postgresql* ]]; then
        no_system_cluster
    fi
    # Lists that know the packages may still be older than the mirror's files.
    apt_get install --dry-run "${missing[@]}" || apt_get update || true
    apt_get install "${missing[@]}" || { apt_get update && apt_get install "${missing[@]}"; } ||
        die "apt-get no pudo: $(tail -n 3 "$store/apt.log")"
    look_for_packages
    ((${#missing[@]} == 0)) || die "siguen faltando: ${missing[*]}"
}
# No question when none is needed, and none when nobody could answer.
may_sudo() {
    command -v sudo >/dev/null || return 1
    sudo -n true 2>/dev/null || { [[ -t 0 ]] && sudo -v; }
}
apt_get() {
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 \
        apt-get -y -q --no-install-recommends -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 \
        "$@" </dev/null &>>"$store/apt.log"
}

# Debian starts a cluster on port 5432 as it installs PostgreSQL: nobody asked for one.
no_system_cluster() {
    local conf=/etc/postgresql-common/createcluster.d/no-main.conf
    [[ ! -e $conf ]] || return 0
    say "Antes escribo $conf, para que PostgreSQL no abra un clúster del sistema"
    "${sudo[@]}" mkdir -p "${conf%/*}"
    "${sudo[@]}" tee "$conf" <<<'create_main_cluster = false' >/dev/null
}

# install_python <lock file>: a virtual environment with exactly what the lock says.
# A lock's stamp is its checksum when it was installed. The development lock holds
# the other one whole; not the reverse.
install_python() {
    local stamps=$store/stamps unfinished=$store/venv.unfinished
    if [[ -x $venv/bin/python ]] && sha256sum --check --status "$stamps/$1" 2>/dev/null; then
        return 0
    fi
    say "Instalo las dependencias de Python de $1 en .local/venv"
    # A half-installed package looks installed to pip.
    if [[ -e $unfinished || ! -x $venv/bin/python ]]; then
        rm -rf "$venv"
    fi
    touch "$unfinished"
    rm -rf "$stamps"
    mkdir "$stamps"
    [[ -x $venv/bin/python ]] || run "$(find_python)" -m venv "$venv"
    python -m pip install --quiet --disable-pip-version-check --no-input --require-hashes --requirement "$1"
    sha256sum requirements.lock >"$stamps/requirements.lock"
    [[ $1 == requirements.lock ]] || sha256sum "$1" >"$stamps/$1"
    rm "$unfinished"
}
