"""Writes ``docs/load-report.md`` and the page's ``shapes.ts``, or with ``--check`` says what is stale."""

from __future__ import annotations

import sys
from typing import Final

from simplestchat.load.docs import markdown, typescript
from simplestchat.signaling.docs.outputs import Outputs, run

OUTPUTS: Final[Outputs] = {
    "docs/load-report.md": markdown.render,
    "simplestchat/web/src/report/shapes.ts": typescript.render,
}

if __name__ == "__main__":
    sys.exit(run(OUTPUTS, "simplestchat.load.docs", __doc__))
