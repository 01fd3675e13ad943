"""What an operator runs: commands, probe, doctor, report, rotation, the stand-in edge.

It may import everything. Nothing outside imports it but ``python -m edgeauth``, so no request ever
meets it: an auditor of the gate may stop at this door.
"""
