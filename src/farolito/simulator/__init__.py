"""The practice metro: a seeded city whose plate readers speak the vendors' wire formats.

For: a stranger's first evening, tests, benchmarks and drills, without one real person's car.
In: a seed, a start time, the address of a node and its device keys.
Out: HTTP messages as the vendors' cameras send them, hot lists as their issuers write them, and
apart from both a file of the truth to score against.
Never: reads the clock for what it makes (the same seed and start give the same bytes), shares a
confusion model with the matcher it tests, uses a real person's plate, trip or name, or passes
the truth to the node. Streets, pueblos and agencies are made up; a likeness in name is chance.
"""
