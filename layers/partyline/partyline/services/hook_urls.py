"""The URLs and addresses to which hooks may be sent: the public internet by HTTPS only.

A hook lets the holder of a bearer key send requests from inside this AWS account. The form of a URL
is checked when a hook is put, its addresses each time a delivery connects: a name may lead to
another address then (DNS rebinding).
"""

import re
from ipaddress import IPv4Address, IPv6Network, ip_address, ip_network

MAX_URL_CHARS = 2048

_LABEL = r"(?!-)[a-z0-9-]{1,63}(?<!-)"
_HOST = re.compile(rf"(?:{_LABEL}\.)+(?:[a-z]{{2,63}}|xn--[a-z0-9-]{{1,59}})", re.IGNORECASE)
_URL = re.compile(
    r"https://(?P<host>[A-Za-z0-9.-]{1,253})(?::(?P<port>[0-9]{1,5}))?"
    r"(?:/[A-Za-z0-9._~!$&'()*+,;=:@%/?\[\]-]*)?"
)
_LOOPBACK_URL = re.compile(r"http://127\.0\.0\.1:[0-9]{1,5}(?:/[A-Za-z0-9._~/?=&-]*)?")

LOCAL_NAMES = frozenset(
    {"localhost", "local", "internal", "intranet", "lan", "home", "corp", "arpa", "onion"}
)
"""Names of no public host (RFC 6761, 6762, 7686, 8375; ICANN: internal, home, corp)."""

_GLOBAL_UNICAST = IPv6Network("2000::/3")
_TUNNELS = (
    *(IPv6Network("2002::/16"), IPv6Network("2001::/32")),  # 6to4 and Teredo hold an IPv4 address
    ip_network("192.88.99.0/24"),  # the relays of 6to4
)


def url_problem(url: str, *, allow_loopback: bool = False) -> str | None:
    """Return why a URL may not be a hook's; None for a URL that may.

    `allow_loopback` also allows a receiver at http://127.0.0.1: the local stack only.
    """
    if allow_loopback and _LOOPBACK_URL.fullmatch(url):
        return None
    if len(url) > MAX_URL_CHARS:
        return f"longer than {MAX_URL_CHARS} characters"
    match = _URL.fullmatch(url)
    if match is None:
        return "not an https URL of a host name, without a user, a fragment or escapes of the host"
    host, port = match["host"].lower(), match["port"]
    if not _HOST.fullmatch(host) or host.rpartition(".")[2] in LOCAL_NAMES:
        return "the host is no domain name of the public internet"
    if port and int(port) != 443 and not 1024 <= int(port) <= 65_535:
        return "the port is neither 443 nor from 1024 to 65535"
    return None


def is_public(address: str) -> bool:
    """Whether an IP address is of the public internet.

    An IPv6 address that holds an IPv4 address (mapped, NAT64, 6to4, Teredo) is not, because the
    IPv4 address may be any.
    """
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    if any(ip in network for network in _TUNNELS if network.version == ip.version):
        return False
    if isinstance(ip, IPv4Address):
        return ip.is_global and not ip.is_multicast and not ip.is_reserved
    return ip.is_global and ip in _GLOBAL_UNICAST
