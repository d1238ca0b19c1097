"""The server's status, as /api/v1/status answers it."""

import json
import urllib.request


def status(server):
    with urllib.request.urlopen(f"{server.url}/api/v1/status", timeout=10) as answer:
        return json.load(answer)
