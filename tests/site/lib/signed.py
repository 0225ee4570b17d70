"""Requests to webhooks, signed by Python's own HMAC."""
import base64
import hashlib
import hmac
import json
import time


def sha256(secret, body, when=None):
    """Headers of the scheme "sha256"."""
    t = str(int(time.time() if when is None else when))
    mac = hmac.new(secret.encode(), t.encode() + b"." + body, hashlib.sha256).hexdigest()
    return {"X-Timestamp": t, "X-Signature": "sha256=" + mac}


def standard(secret, body, id, when=None):
    """Headers of www.standardwebhooks.com."""
    t = str(int(time.time() if when is None else when))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    mac = hmac.new(key, f"{id}.{t}.".encode() + body, hashlib.sha256).digest()
    return {"webhook-id": id, "webhook-timestamp": t,
            "webhook-signature": "v1," + base64.b64encode(mac).decode()}


def send(api, name, body, headers, root="/api/v1"):
    status, data, _ = api.raw("POST", f"{root}/hooks/{name}", body, headers)
    return status, json.loads(data) if data else None
