"""Pictures as bytes: H.264 by its own standard, stills as JPEG. Both ends of a stream know it.

In: bytes of a stream. Out: access units, parameter sets, sizes, timestamps,
files; and, of drawn or redacted pictures, coded ones.
Never: decoding a picture, I/O, a clock, a decision about who may look.
"""

from farolito.codec.unit import AccessUnit, Broken, Codec, Figures, OnUnit, Upstream

__all__ = ["AccessUnit", "Broken", "Codec", "Figures", "OnUnit", "Upstream"]
