# .venv and what is installed in it: the package itself in editable form, its dependencies, its native core in place.

venv_python=.venv/bin/python
if command -v ccache >/dev/null; then
    export CC="ccache ${CC:-cc}"
fi
export CYTHON_CACHE_DIR=${CYTHON_CACHE_DIR:-$PWD/build/cython} # the C that Cython writes: a wheel's build takes it from here

is_new_enough() { "$1" -c 'import sys; raise SystemExit(sys.version_info < (3, 11))' 2>/dev/null; }

# has_headers PYTHON: whether C extensions can be compiled for it.
has_headers() {
    "$1" -c 'import os, sysconfig; os.stat(os.path.join(sysconfig.get_path("include"), "Python.h"))' 2>/dev/null
}

find_python() {
    local candidate
    for candidate in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
        if command -v "$candidate" >/dev/null && is_new_enough "$candidate"; then
            printf '%s\n' "$candidate"
            return
        fi
    done
    return 1
}

# create_venv PYTHON: .venv with pip in it, also where the interpreter came without ensurepip, as Debian's does.
create_venv() {
    local python=$1
    rm -rf .venv
    if ! "$python" -c 'import ensurepip' 2>/dev/null; then
        if "$python" -c 'import pip' 2>/dev/null; then
            "$python" -m venv --without-pip .venv
            "$python" -m pip --python "$venv_python" install --quiet pip
            return
        fi
        install_packages python3-venv
    fi
    "$python" -m venv .venv
}

ensure_venv() {
    local python
    if [ -x "$venv_python" ] && is_new_enough "$venv_python" && [ -x .venv/bin/pip ]; then
        return
    fi
    python=$(find_python) || { install_packages python3 python3-dev python3-venv; python=$(find_python); } ||
        die "Python 3.11 or newer is needed; name it with PYTHON=/path/to/python3"
    has_headers "$python" || install_packages python3-dev
    say "making .venv with $("$python" --version)"
    create_venv "$python"
    rm -f build/stamps/package-* build/stamps/native-* build/stamps/node
}

pip_install() { "$venv_python" -m pip install --quiet --disable-pip-version-check --no-input "$@" </dev/null; }

build_requirements() {
    "$venv_python" -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"], sep="\n")'
}

# ensure_package GOAL EXTRAS: the package, editable, with the dependencies of GOAL; compiles the native core.
ensure_package() {
    local requirements
    made "package-$1" pyproject.toml setup.py && [ -x .venv/bin/simplestchat ] && return
    say "installing the package and its dependencies ($1)"
    mapfile -t requirements < <(build_requirements)
    pip_install "${requirements[@]}"
    pip_install --no-build-isolation --editable ".$2"
    stamp "package-$1"
}

# ensure_native: the compiled modules of the chosen mode, beside their stubs in the tree.
ensure_native() {
    local mode=${SIMPLESTCHAT_BUILD:-release} step
    step=native-$mode${SIMPLESTCHAT_OPENSSL:+-openssl${SIMPLESTCHAT_OPENSSL//\//-}}
    made "$step" _native setup.py && return
    say "compiling the native core ($mode)"
    rm -f build/stamps/native-* # the modules in the tree are of one mode
    "$venv_python" setup.py --quiet build_ext --inplace >&2
    stamp "$step"
}
