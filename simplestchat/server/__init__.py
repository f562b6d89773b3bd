"""The node's trio side: HTTP, WebSocket, static files, health, shutdown. It moves bytes; rooms are `signaling`'s."""
