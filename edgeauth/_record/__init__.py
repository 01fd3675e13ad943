"""What was decided, told: the log, the file of decisions, and warnings about an old list.

It may import the core. It never decides, and a failure here never changes a decision.
"""
