"""The practice metro: a seeded city whose readers, cars and dispatch centre speak wire formats.

For: a stranger's first evening, tests, benchmarks and drills, without one real person's car.
In: a seed, a start time, the address of a node, its device keys and its demo's personas.
Out: HTTP messages as the vendors' cameras send them, RTSP streams of drawn streets, positions of
cars that patrol their beats and drive to calls, a dispatch system's signed updates, taps on
officers' phones, hot lists as their issuers write them, and apart from all a file of the truth to
score against.
Never: reads the clock for what it makes (the same seed and start give the same bytes), shares a
confusion model with the matcher it tests, uses a real person's plate, trip or name, or passes
the truth to the node. Streets, pueblos and agencies are made up; a likeness in name is chance.
"""
