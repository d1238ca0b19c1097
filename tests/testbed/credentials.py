"""A credentials file: users with cheap password hashes and tokens, and grants."""

import base64
import hashlib
import json
import os


def hash_password(password, n=1024):
    salt = os.urandom(16)
    hashed = hashlib.scrypt(password.encode(), salt=salt, n=n, r=8, p=1, dklen=32)
    return f"scrypt${n}$8$1${_base64(salt)}${_base64(hashed)}"


def hash_token(token):
    return "sha256$" + hashlib.sha256(token.encode()).hexdigest()


def _base64(data):
    return base64.b64encode(data).decode().rstrip("=")


class CredentialsFile:
    """What `auth.credentials` names. Change `users` and `grants`, then save()."""

    def __init__(self, path):
        self.path = path
        self.users, self.grants = {}, []

    def user(self, name, password=None, tokens=()):
        entry = {"tokens": [hash_token(token) for token in tokens]}
        if password is not None:
            entry["password"] = hash_password(password)
        self.users[name] = entry
        return self

    def grant(self, principal, tables, *rights):
        self.grants.append({"principals": [principal], "tables": [tables], "rights": list(rights)})
        return self

    def save(self):
        """In one step, as an operator should: JSON is YAML."""
        fresh = self.path.with_suffix(".new")
        fresh.write_text(json.dumps({"users": self.users, "grants": self.grants}))
        fresh.rename(self.path)
        return self


def bearer(token):
    """The call header, as pyarrow takes it."""
    return [(b"authorization", b"Bearer " + token.encode())]


def basic(user, password):
    pair = base64.b64encode(f"{user}:{password}".encode())
    return [(b"authorization", b"Basic " + pair)]
