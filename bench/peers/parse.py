"""Parses every line of a manifest and does nothing else: usage: parse.py IN.

Prints one line of JSON: seconds, rows, peak memory in bytes.
"""

import json
import resource
import sys
import time

start = time.perf_counter()
rows = 0
with open(sys.argv[1], "rb") as manifest:
    for line in manifest:
        json.loads(line)
        rows += 1
seconds = time.perf_counter() - start

peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
print(json.dumps({"seconds": seconds, "rows": rows, "peak": peak}))
