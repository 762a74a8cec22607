"""Doors: bytes from devices and vendors become observations, or a named rejection.

In: bytes with a device's key. Out: values on the bus, durable before the sender is told so.
Never: a look at rights or records, a guess where a source is silent, an acknowledgement ahead
of the disk. Kinds of source do not know each other; one wire format is one file.
"""
