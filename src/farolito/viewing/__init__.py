"""What a camera can truly see: by its view, its reach, what stands between, and how it is.

In: cameras, buildings, ground, a place and a time. Out: cameras in order, each with its reason.
Never: I/O, a clock or chance; a picture; a person or a vehicle followed by its looks.
"""
