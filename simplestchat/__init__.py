"""SimplestChat: rooms that people make themselves, with text chat, audio and video."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("simplestchat")
except PackageNotFoundError:  # a source tree that was built in place but never installed
    __version__ = "0.0.0"
