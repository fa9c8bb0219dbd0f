#!/usr/bin/env python3
"""The least SMAPIv3 datapath: the file that `plainfile://PATH` names, as it is."""

import json
import os
import sys

arguments = json.load(sys.stdin)
if os.path.basename(sys.argv[0]) == "Datapath.attach":
    print(json.dumps({"implementations": [["File", {"path": arguments["uri"].split("://", 1)[1]}]]}))
else:
    print("null")
