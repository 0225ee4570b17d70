"""The tools that knock at every SIP port of the internet: sipsak and SIPVicious."""
import os
import re
import subprocess

ENDPOINT = 'endpoint "desk" { password-file = "desk.key"  user = "1000"  allow = { "page" } }'


def tool(host, *argv, limit=20):
    """What it prints; one that is never answered is ended."""
    p = host.popen(["timeout", str(limit), *argv], stdout=subprocess.PIPE,
                   stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
    out = p.communicate(timeout=limit + 10)[0].decode(errors="replace")
    return p.returncode, out


def test_scanners_learn_nothing(make_daemon, site, tmp_path, agent):
    (tmp_path / "desk.key").write_text("desk-secret\n")
    os.chmod(tmp_path / "desk.key", 0o600)
    d = make_daemon(more=ENDPOINT)
    stranger, friend = site["stranger"], site["caller"]

    # sipsak: who is known is answered, without a word of what answers.
    code, out = tool(friend, "sipsak", "-vv", "-s", "sip:701@10.9.0.1")
    assert code == 0 and "200 OK" in out, out
    assert not re.search("(?im)^(server|user-agent): *(?!sipsak)", out), out
    code, out = tool(stranger, "sipsak", "-vv", "-s", "sip:701@10.9.0.1", limit=3)
    assert code and "SIP/2.0 200" not in out and "SIP/2.0 4" not in out, out

    # svmap: nobody is at home.
    _, out = tool(stranger, "svmap", "-t", "0.2", "10.9.0.1")
    assert "10.9.0.1:5060" not in out, out

    # svwar: all extensions look alike, the one that there is among them.
    _, out = tool(stranger, "svwar", "-t", "0.2", "-m", "REGISTER", "-e", "998-1002", "10.9.0.1")
    assert not re.search(r"\| *1000 ", out), out
    _, out = tool(stranger, "svwar", "-t", "0.2", "--force", "-m", "INVITE", "-e", "700-702",
                  "10.9.0.1", limit=5)
    assert not re.search(r"\| *70[0-2] ", out), out

    # Nothing of it was in anybody's way.
    agent("second").options()
    assert not d.api.get("/calls")
