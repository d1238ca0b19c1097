"""What the server says of itself over HTTP."""

import json
import urllib.error
import urllib.request


def status(server):
    """The object that /api/v1/status answers."""
    with urllib.request.urlopen(f"{server.url}/api/v1/status", timeout=10) as answer:
        return json.load(answer)


def get(url):
    """(code, body) of a page, whatever the code."""
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
