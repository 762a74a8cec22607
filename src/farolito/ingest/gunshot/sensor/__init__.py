"""The program of a gunshot sensor: a microphone on a pole, and what it may say.

In: sound, from ALSA or from WAV files, and the time. Out: pulses, heartbeats, and for a want the
bare bang of an onset that it told (clip.py says what is kept from leaving), all of it sealed with
the sensor's own key, over HTTP or MQTT.
Never: sound on a disk, sound that nobody asked for, speech, a pulse forgotten before the node has
it, memory without a bound. It runs on a Raspberry Pi, so it loads no part of the node: no
database, no bus, no web server, no compiler.
"""
