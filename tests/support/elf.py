"""What a compiled file asks of the dynamic loader."""

from __future__ import annotations

from pathlib import Path

from elftools.elf.dynamic import DynamicSection
from elftools.elf.elffile import ELFFile


def needed_libraries(path: Path) -> set[str]:
    """The names of the libraries without which it is not loaded."""
    with path.open("rb") as file:
        tags = [
            tag
            for section in ELFFile(file).iter_sections()
            if isinstance(section, DynamicSection)
            for tag in section.iter_tags()
        ]
    return {tag.needed for tag in tags if tag.entry.d_tag == "DT_NEEDED"}
