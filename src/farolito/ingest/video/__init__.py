"""Cameras: the wire formats they speak, and the registers that tell of them. One format a file.

In: a StreamSource with its login, or a register's file. Out: access units; cameras; or Broken and
Rejected with the reason.
Never: a connection to an address that was not allowed; a picture kept; a decision who may look.
"""
