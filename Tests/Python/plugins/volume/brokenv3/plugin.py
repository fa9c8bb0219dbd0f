#!/usr/bin/env python3
"""An SMAPIv3 volume plugin that fails in every way: `device_config:how` says in which."""

import json
import os
import signal
import sys
import time

method = os.path.basename(sys.argv[0])
arguments = json.load(sys.stdin)
if method == "Plugin.Query":
    print(json.dumps({
        "plugin": "brokenv3", "name": "Broken", "description": "", "vendor": "", "copyright": "", "version": "1",
        "required_api_version": "5.0", "features": ["FLYING", "VDI_MIRROR/x"], "configuration": {},
        "supported_image_formats": ["vdi", "raw"], "required_cluster_stack": [],
    }))
    sys.exit(0)
how = arguments.get("configuration", {}).get("how", "")
if how == "crash":
    os.kill(os.getpid(), signal.SIGSEGV)
elif how == "hang":
    time.sleep(3600)
elif how == "flood":
    while True:
        sys.stdout.write("x" * 65536)
elif how == "json":
    print("{no json")
elif how == "type":
    print('{"location": 7}')
elif how == "exit":
    print("some output")
    print("some complaint", file=sys.stderr)
    sys.exit(3)
elif how == "code":
    print(json.dumps({"code": "SR_BACKEND_FAILURE_999", "params": ["a", "b", "c"], "backtrace": {}}))
    sys.exit(1)
elif how == "odd code":
    print(json.dumps({"code": "no code\n", "params": []}))
    sys.exit(1)
elif how == "host":
    print(json.dumps({"code": "X", "params": ["Activated_on_another_host", "some-uuid"], "backtrace": {}}))
    sys.exit(1)
