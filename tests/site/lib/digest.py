"""A SIP client's side of digest authentication (RFC 7616)."""
import hashlib
import re

from .sip import Call


def answer(challenge, method, uri, user, password, nc=1):
    """The value of Authorization to one WWW-Authenticate."""
    part = {k: v.strip('"') for k, v in re.findall(r'(\w+)=("[^"]*"|[^,\s]+)', challenge)}
    name = part.get("algorithm", "MD5")

    def h(text):
        return hashlib.new({"MD5": "md5", "SHA-256": "sha256"}[name], text.encode()).hexdigest()
    count = f"{nc:08x}"
    both = h(f"{user}:{part['realm']}:{password}"), h(f"{method}:{uri}")
    response = h(f"{both[0]}:{part['nonce']}:{count}:c1:auth:{both[1]}")
    return (f'Digest username="{user}", realm="{part["realm"]}", nonce="{part["nonce"]}", '
            f'uri="{uri}", response="{response}", algorithm={name}, cnonce="c1", qop=auth, '
            f"nc={count}")


def register(agent, name, password, extra="", user=None, algorithm="SHA-256", call=None):
    """REGISTER without and with the password; (the call, the last answer)."""
    call = call or Call(agent, name)
    call.request("REGISTER", extra=extra, user=name)
    m = call.answered("REGISTER", 401)
    offered = [c for c in m.all("www-authenticate") if f"algorithm={algorithm}," in c]
    assert offered, m.headers
    line = answer(offered[0], "REGISTER", call.uri, user or name, password)
    call.line = f"Authorization: {line}\r\n"
    call.request("REGISTER", extra=extra + call.line, user=name)
    return call, call.answered("REGISTER")
