# Shell functions that the other scripts share: messages and stamps.

say() { printf '\033[1m==>\033[0m %s\n' "$*" >&2; }

die() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

# What a step's sources were when it was asked about, by the step's name.
declare -A sources=()

# made NAME PATH...: whether step NAME was done for the files that lie under PATH... now.
# Ask it first, before what else decides: it notes what stamp() will write.
made() {
    local name=$1
    shift
    sources[$name]=$(find "$@" \( -name node_modules -o -name __pycache__ \) -prune -o \
        -type f ! -name '*.c' ! -name '*.tsbuildinfo' -printf '%p %s %T@\n' | LC_ALL=C sort | sha256sum)
    [ -e "build/stamps/$name" ] && [ "$(<"build/stamps/$name")" = "${sources[$name]}" ]
}

# stamp NAME: step NAME is done for what made() last saw.
stamp() { printf '%s\n' "${sources[$1]}" >"build/stamps/$1"; }
