"""Typed settings from options, environment, a TOML file and defaults."""

from .load import SettingError, add_arguments, load
from .settings import ConnectionLimits, Logs, Media, RoomLimits, Settings, Web

__all__ = [
    "ConnectionLimits",
    "Logs",
    "Media",
    "RoomLimits",
    "SettingError",
    "Settings",
    "Web",
    "add_arguments",
    "load",
]
