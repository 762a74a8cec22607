"""What the agency's law forbids its hot lists to hold, for those who may not ask the policy."""

from __future__ import annotations

from farolito.ingest.hotlist import ForbiddenCategories
from farolito.policy import load_pack


def forbidden_categories(law: str) -> ForbiddenCategories:
    """From the state pack of `law` ("us-nm"). Raises Invalid where there is no such pack."""
    pack = load_pack(law)
    return ForbiddenCategories(pack.forbidden_list_categories, pack.name)
