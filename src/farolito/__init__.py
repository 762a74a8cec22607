"""Farolito, the open real time crime center.

Data goes one way: ingest, bus, pipeline, store; people meet it only through the gate.
ARCHITECTURE.md names every room, what comes in, what goes out, and what it never does.
"""

__version__ = "0.5.0"
