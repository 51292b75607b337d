"""Connections to a server, with the same settings for clients and workers."""

from __future__ import annotations

import grpc

MESSAGE_BYTES_MAX = 64 << 20
"""The largest message taken from the server, in bytes."""

_OPTIONS = [
    ("grpc.max_receive_message_length", MESSAGE_BYTES_MAX),
    ("grpc.max_send_message_length", MESSAGE_BYTES_MAX),
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.initial_reconnect_backoff_ms", 50),
    ("grpc.min_reconnect_backoff_ms", 50),
    ("grpc.max_reconnect_backoff_ms", 10_000),
    # Channels of one process to one server do not share a connection, nor its troubles.
    ("grpc.use_local_subchannel_pool", 1),
]


def open_channel(address: str) -> grpc.aio.Channel:
    """Returns a channel to `host:port`; an `http://` before it is left out."""
    target = address.removeprefix("http://").rstrip("/")
    if not target or "://" in target:
        raise ValueError(f"{address!r} is no server address; write it like 127.0.0.1:7420")
    return grpc.aio.insecure_channel(target, options=_OPTIONS)
