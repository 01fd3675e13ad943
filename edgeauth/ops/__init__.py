"""What an operator runs: commands, probe, doctor, report, rotation, the stand-in edge.

It may import everything. Only ``__main__`` may import it, and the console script opens the same
door: no request ever meets it, so an auditor of the gate may stop here.
"""
