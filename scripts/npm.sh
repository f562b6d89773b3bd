#!/usr/bin/env bash
# npm in simplestchat/web, with the Node.js that builds the client: the machine's own, or the one inside .venv.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh
. scripts/python.sh
. scripts/client.sh
ensure_node
exec npm --prefix "$web" "$@"
