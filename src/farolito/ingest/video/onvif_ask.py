"""Asking an ONVIF camera through `onveef`, with the library's errors in our words."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any, TypeVar

import httpx
from onveef.exceptions import (
    OnvifAuthError,
    OnvifCapabilityMissingError,
    OnvifError,
    OnvifFaultError,
    OnvifOperationNotSupportedError,
    OnvifTransportError,
)

from farolito.codec import Broken
from farolito.model import PictureState

ASK_S_MAX = 6.0  # for one message; a question may take two, for its login
TEXT_CHARACTERS_MAX = 120  # of a maker's words

# What the library, and httpx under it, stumble over in an answer that no camera should give.
_STUMBLES = (ValueError, OverflowError, KeyError, TypeError, NotImplementedError)

T = TypeVar("T")


async def asked(question: Awaitable[T]) -> T:
    """The answer, with the library's errors in our words. Raises Broken."""
    try:
        async with asyncio.timeout(2 * ASK_S_MAX):
            return await question
    except OnvifAuthError as error:
        says, do = "the camera does not take our user or password", "check its ONVIF user"
        raise Broken(PictureState.REFUSED, says, do) from error
    except (OnvifCapabilityMissingError, OnvifOperationNotSupportedError) as error:
        says = "the camera does not do that over ONVIF"
        raise Broken(PictureState.UNSUPPORTED, says, "give its addresses by hand") from error
    except OnvifFaultError as error:
        says = f"the camera answers with a fault: {text_of(str(error))}"
        raise Broken(PictureState.MALFORMED, says, "restart it, or update its firmware") from error
    except (OnvifTransportError, TimeoutError) as error:
        if isinstance(error, TimeoutError) or error.retryable:
            says, do = "the camera's ONVIF does not answer", "check its address and its network"
            raise Broken(PictureState.UNREACHABLE, says, do) from error
        says = "what answers there is no ONVIF camera"
        raise Broken(PictureState.MALFORMED, says, "check address and port") from error
    except (OnvifError, httpx.HTTPError, httpx.InvalidURL, *_STUMBLES) as error:
        says = "the camera's ONVIF is broken"
        raise Broken(PictureState.MALFORMED, says, "update its firmware") from error


def text_of(told: Any) -> str:
    """A maker's words, fit to be shown."""
    words = " ".join(str(told or "").split())
    return "".join(c for c in words if c.isprintable())[:TEXT_CHARACTERS_MAX]
