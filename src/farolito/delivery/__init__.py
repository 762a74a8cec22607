"""What goes out to those on the way: TAK (Cursor on Target) and web push.

In: the feed of what changed, and who is connected. Out: markers and chats to TAK users, a nudge
without content to phones; receipts and answers back to the briefing.
Never: an unconfirmed plate, shots that no person heard as gunfire, the place of a muted unit, a
brief to another unit, anything to somebody whose permit the gate did not give.
"""

from farolito.delivery.answers import Receipts
from farolito.delivery.chat import Sender
from farolito.delivery.cot import desk_uid
from farolito.delivery.follow import Follower, Listener, News
from farolito.delivery.picture import Around
from farolito.delivery.push import PushSender, Subscriptions
from farolito.delivery.push_feed import PushFeed
from farolito.delivery.subscriber import TakLink, Who
from farolito.delivery.tak import TakFeed
from farolito.delivery.targets import Targets
from farolito.delivery.vapid import VapidKey
from farolito.delivery.vapid import load_or_create as load_or_create_push_key

__all__ = [
    "Around",
    "Follower",
    "Listener",
    "News",
    "PushFeed",
    "PushSender",
    "Receipts",
    "Sender",
    "Subscriptions",
    "TakFeed",
    "TakLink",
    "Targets",
    "VapidKey",
    "Who",
    "desk_uid",
    "load_or_create_push_key",
]
