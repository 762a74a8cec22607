"""The node: makes every room, wires them, and keeps them running.

In: `farolito.toml`, messages from the bus. Out: a running node, its health, its clean end.
Never: a decision about who may see what (policy), or a way to information past the gate.
"""
