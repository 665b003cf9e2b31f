"""The ports on which this process and its children listen, read from Linux's /proc."""

import os
from pathlib import Path

_LISTENING = "0A"


def listening_ports() -> dict[int, str]:
    """Return the address of each port on which this process or a child listens."""
    inodes = {inode for pid in _family() for inode in _sockets(pid)}
    return {
        port: address
        for table in ("tcp", "tcp6")
        for port, address, inode in _listeners(Path("/proc/net", table))
        if inode in inodes
    }


def children() -> list[int]:
    """Return the ids of this process's children and of their children."""
    return [pid for pid in _family() if pid != os.getpid()]


def _family() -> list[int]:
    parents: dict[int, int] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            stat = (folder / "stat").read_text()
        except OSError:
            continue
        parents[int(folder.name)] = int(stat.rpartition(")")[2].split()[1])
    family = [os.getpid()]
    for pid in family:
        family += [child for child, parent in parents.items() if parent == pid]
    return family


def _sockets(pid: int) -> list[str]:
    links = []
    for descriptor in Path(f"/proc/{pid}/fd").glob("*"):
        try:
            links.append(str(descriptor.readlink()))
        except OSError:
            continue
    return [link[len("socket:[") : -1] for link in links if link.startswith("socket:[")]


def _listeners(table: Path) -> list[tuple[int, str, str]]:
    rows = [line.split() for line in table.read_text().splitlines()[1:]]
    return [
        (int(row[1].rpartition(":")[2], 16), row[1].rpartition(":")[0], row[9])
        for row in rows
        if row[3] == _LISTENING
    ]
