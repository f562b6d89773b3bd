#!/bin/sh
# Builds the OpenSSL that wheels carry: an LTS release of a pinned checksum, trimmed to what DTLS and SRTP use, under a
# name of its own, so that no other OpenSSL in the process can take its place.
#
#   scripts/openssl.sh PREFIX [ARCHIVE]
#
# Without ARCHIVE the release is fetched. What is built then: SIMPLESTCHAT_OPENSSL=PREFIX (docs/packaging.md).
# Needs a C compiler, make, and perl with IPC::Cmd and Time::Piece (and curl); any POSIX shell does, Alpine's too.
set -eu

version=3.5.7
sha256=a8c0d28a529ca480f9f36cf5792e2cd21984552a3c8e4aa11a24aa31aeac98e8
release=https://github.com/openssl/openssl/releases/download/openssl-$version/openssl-$version.tar.gz

# No modules, no configuration files: nothing outside the wheel changes what it does.
closed='no-module no-dso no-engine no-autoload-config no-legacy no-apps no-docs no-tests no-ui-console'
# DTLS 1.2 with ECDSA or RSA certificates, and the ciphers of SRTP.
protocols='no-ssl3 no-tls1 no-tls1_1 no-dtls1 no-quic no-comp no-srp no-psk no-nextprotoneg no-ct no-ocsp no-cmp no-cms
    no-ts no-http no-rfc3779'
algorithms='no-aria no-bf no-blake2 no-camellia no-cast no-des no-dsa no-ec2m no-gost no-idea no-md4 no-mdc2 no-ml-dsa
    no-ml-kem no-ocb no-rc2 no-rc4 no-rmd160 no-scrypt no-seed no-siphash no-siv no-slh-dsa no-sm2 no-sm3 no-sm4
    no-whirlpool no-argon2'

die() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

[ $# -ge 1 ] && [ $# -le 2 ] || die 'usage: scripts/openssl.sh PREFIX [ARCHIVE]'
mkdir -p "$1"
prefix=$(cd "$1" && pwd)
archive=${2:-}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

if [ -z "$archive" ]; then
    archive=$work/openssl.tar.gz
    curl --fail --silent --show-error --location --retry 3 --output "$archive" "$release"
fi
printf '%s  %s\n' "$sha256" "$archive" | sha256sum -c - >/dev/null || die "$archive is not openssl-$version.tar.gz"
tar -xzf "$archive" -C "$work"
cd "$work/openssl-$version"

case $(uname -m) in
x86_64) target=linux-x86_64 ;;
aarch64) target=linux-aarch64 ;;
*) die "no target for $(uname -m)" ;;
esac
# The variant becomes part of the libraries' names and of the versions of their symbols.
cat >Configurations/60-simplestchat.conf <<END
my %targets = ("simplestchat" => { inherit_from => ["$target"], shlib_variant => "-simplestchat" });
END

# The same bytes in any folder and at any time: the paths and the date that it remembers are constant.
SOURCE_DATE_EPOCH=$(date -r VERSION.dat +%s)
export SOURCE_DATE_EPOCH

# logged COMMAND...: quiet, unless it fails.
logged() { "$@" >"$work/log" 2>&1 || { tail -n 50 "$work/log" >&2; die "$1 failed"; }; }

# shellcheck disable=SC2086
logged perl Configure simplestchat shared --release --prefix=/nonexistent --openssldir=/nonexistent \
    $closed $protocols $algorithms
logged make -j "$(nproc)" build_generated
logged make -j "$(nproc)" libcrypto.so libssl.so # and no archives, which would be compiled a second time
strip --strip-unneeded libcrypto-simplestchat.so.3 libssl-simplestchat.so.3

mkdir -p "$prefix/include/openssl" "$prefix/lib"
cp include/openssl/*.h "$prefix/include/openssl"
cp LICENSE.txt "$prefix"
for library in libcrypto libssl; do
    cp $library-simplestchat.so.3 "$prefix/lib"
    ln -sf $library-simplestchat.so.3 "$prefix/lib/$library.so"
done
