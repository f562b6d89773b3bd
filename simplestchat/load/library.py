"""Where scenarios are: a file, or the name of one that comes with the program."""

from __future__ import annotations

from pathlib import Path

from simplestchat.load.reading import ScenarioError

_HERE = Path(__file__).resolve()
#: In an installed copy, and in a checkout.
FOLDERS = (_HERE.with_name("scenarios"), _HERE.parents[2] / "scenarios")


def find_scenario(word: str) -> Path:
    """Return the file of that path or name. Raises ``ScenarioError`` and says which there are."""
    path = Path(word)
    if path.is_file():
        return path
    for folder in FOLDERS:
        known = folder / f"{path.name.removesuffix('.toml')}.toml"
        if known.is_file() and path.parent in (Path("."), Path("scenarios")):
            return known
    raise ScenarioError(f"{word}: there is no such file, nor a scenario of that name. There are: {', '.join(names())}.")


def names() -> list[str]:
    """Of the scenarios that come with the program."""
    return sorted({path.stem for folder in FOLDERS for path in folder.glob("*.toml")})
