"""Free ports on loopback for what tests start.

Not from the range out of which the kernel gives ports to connections: between its choosing and its
use, one of those is taken by any connection that anybody makes. Processes of one run choose from
stretches of their own.
"""

from __future__ import annotations

import os
import random
import socket
from pathlib import Path

FIRST, END = 10_000, 32_000
GIVEN: set[int] = set()  # by this process


def _stretch() -> range:
    own = Path("/proc/sys/net/ipv4/ip_local_port_range")
    connections = int(own.read_text().split()[0]) if own.exists() else END
    end = min(END, connections) if connections > FIRST + 1_000 else END
    count = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    size = (end - FIRST) // count
    return range(FIRST + number * size, FIRST + (number + 1) * size)


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """A port that nobody has, and that this process gives to nobody else."""
    stretch = _stretch()
    for port in random.SystemRandom().sample(stretch, len(stretch)):
        if port in GIVEN:
            continue
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        GIVEN.add(port)
        return port
    raise AssertionError("no port is free")
