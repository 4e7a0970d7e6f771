"""Ask a pump what it is doing.  Usage: python ask_status.py [PORT]   (everything is fictional)"""

import sys

from mockpump.serial import connect

with connect(sys.argv[1] if len(sys.argv) > 1 else "mockpump://demo") as programmer:
    print(programmer.status())
