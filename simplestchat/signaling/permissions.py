"""Who may do what: the one place where it is decided."""

from __future__ import annotations

from typing import Final

from simplestchat.errors import Forbidden, NotInRoom, RoomLocked, WrongPassword
from simplestchat.model.media import MediaKind
from simplestchat.signaling.data import Role
from simplestchat.signaling.registry import METHODS

_RANK: Final[dict[Role, int]] = {"member": 0, "owner": 1}


def check_method(method: str, role: Role | None) -> None:
    """Raise unless someone with this role (None: in no room) may call the method."""
    least = METHODS[method].least
    if least is None:
        return
    if role is None:
        raise NotInRoom()
    if _RANK[role] < _RANK[least]:
        raise Forbidden(f"Only the {least} of this room may do that ({method}). Ask them.")


def check_entry(*, locked: bool, password_fits: bool, is_owner: bool) -> None:
    """Raise unless someone new may come in. Owners always may."""
    if is_owner:
        return
    if locked:
        raise RoomLocked()
    if not password_fits:
        raise WrongPassword()


def check_publish(kind: MediaKind, *, audio_only: bool) -> None:
    """Raise unless a track of this kind may be published in a room with this setting."""
    if kind == "video" and audio_only:
        raise Forbidden("This room is audio only. Turn the camera off, or ask the owner to allow video.")


def check_kick(*, target_role: Role, is_self: bool) -> None:
    """Raise unless an owner may put this peer out."""
    if is_self or target_role == "owner":
        raise Forbidden("An owner cannot be put out of the room. Use room.leave to go yourself.")


def check_manage(*, bears_token: bool) -> None:
    """Raise unless the bearer of an HTTP request may manage the room."""
    if not bears_token:
        raise Forbidden("The owner's token is missing or wrong. Send it as Authorization: Bearer …")
