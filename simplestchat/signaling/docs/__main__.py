"""Writes ``docs/protocol.md``, ``docs/openrpc.json`` and ``protocol.ts``, or with ``--check`` says what is stale."""

from __future__ import annotations

import sys
from typing import Final

from simplestchat.signaling.docs import markdown, openrpc, typescript
from simplestchat.signaling.docs.outputs import Outputs, run

OUTPUTS: Final[Outputs] = {
    "docs/protocol.md": markdown.render,
    "docs/openrpc.json": openrpc.render,
    "simplestchat/web/src/protocol.ts": typescript.render,
}

if __name__ == "__main__":
    sys.exit(run(OUTPUTS, "simplestchat.signaling.docs", __doc__))
