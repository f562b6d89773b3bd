"""Rooms, chat and calls over JSON-RPC: sans-IO in time and randomness, and free of any event loop.

``Hub`` holds every room, ``Session`` one WebSocket's side of it; both reach media only through ``MediaPort``.
"""
