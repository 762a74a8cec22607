"""What goes out to those on the way: TAK (Cursor on Target) and web push.

In: the feed of what changed, and who is connected. Out: markers and chats to TAK users, a nudge
without content to phones; receipts and answers back to the briefing.
Never: an unconfirmed plate, the place of a muted unit, a brief to another unit, anything to
somebody whose permit the gate did not give.
"""
