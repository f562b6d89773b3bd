"""WebSocket frames: no Python names, C functions only (see ``_native/wire/websocket.pxd``)."""
