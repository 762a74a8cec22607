"""Gunshot sensors and vendors of gunshot alerts, in: sound as sensors tell it, and others' alerts.

In: sealed messages of sensors over HTTP or MQTT (envelope.py), a vendor's alerts with its key or
signature (vendor.py). Out: `Heard`: impulses, a sensor's report of itself, a clip that was asked
for; or `VendorAlert`: a shot in our words; or `Rejected` with its reason. Doing stands apart from
decoding: door.py and mqtt.py bring bytes, and answer "accepted" only after `publish` has returned.
Never: a sensor believed without its signature, a message taken in twice, sound that nobody asked
for, a place worked out (that is acoustics).
"""
