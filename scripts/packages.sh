# Debian packages. What is there is found by use, not by package name, so that other systems and hand-made installs do.

compiles() { printf '#include <%s>\n' "$1" | cc -E -x c - >/dev/null 2>&1; }

# missing_packages GOAL: the Debian packages that GOAL needs and this machine lacks, one a line.
missing_packages() {
    compiles stdio.h || echo build-essential
    compiles openssl/ssl.h || echo libssl-dev
    [ "$1" != build ] || return 0
    [ "$(uname -m)" != x86_64 ] || compiles intel-ipsec-mb.h || echo libipsec-mb-dev # the other library that encrypts media
    command -v ccache >/dev/null || echo ccache # the native core is compiled for the checkout and again for the wheel
    command -v git >/dev/null || echo git
    command -v valgrind >/dev/null && compiles valgrind/callgrind.h || echo valgrind # counts the benchmarks' instructions
    command -v chromium >/dev/null || echo chromium
    command -v firefox-esr >/dev/null || echo firefox-esr
    command -v redis-server >/dev/null || echo redis-server # two load agents find each other over a real one
    PATH=$PATH:/usr/sbin:/sbin command -v ip >/dev/null || echo iproute2
    command -v unshare >/dev/null || echo util-linux
    [ -e "$(cc -print-file-name=libasan.so 2>/dev/null)" ] || echo gcc
    [ "$1" = bench ] || return 0
    command -v janus >/dev/null || echo janus # is measured beside our worker
}

# install_packages PACKAGE...: install them as root, otherwise say how and stop.
install_packages() {
    local command="apt-get install --yes --no-install-recommends $*"
    command -v apt-get >/dev/null || die "this machine lacks what Debian calls: $*"
    [ "$(id -u)" = 0 ] || die "some Debian packages are missing; run this first:  sudo $command"
    say "$command"
    apt-get update -qq </dev/null
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive $command -qq </dev/null >&2
}

ensure_packages() {
    local missing
    missing=$(missing_packages "$1" | tr '\n' ' ')
    [ -z "$missing" ] || install_packages $missing
}
