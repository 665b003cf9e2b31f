"""The TLS context of all HTTP clients of this process."""

import ssl
from functools import cache

import httpx


@cache
def tls_context() -> ssl.SSLContext:
    """Make the context once: reading the certificates takes half of a client's time."""
    return httpx.create_ssl_context()
