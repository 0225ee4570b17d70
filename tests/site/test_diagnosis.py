"""What was said in a call, and why nothing is heard of it."""
import socket
import ssl
import subprocess

import pytest

from conftest import CTL, config
from lib import audio, wait
from lib.daemon import Refused
from lib.rtp import Sender
from lib.sip import Call, sdp
from lib.sip_speaker import Speaker
from lib.tls import Authority


def tcpdump(path):
    """The capture's packets as tcpdump tells them, checksums held against the bytes."""
    r = subprocess.run(["tcpdump", "-r", path, "-nn", "-vv"], capture_output=True, text=True,
                       check=True)
    assert "bad " not in r.stdout, r.stdout
    return r.stdout


def test_trace(make_daemon, site, caller, hall, tmp_path):
    ca = Authority(tmp_path)
    pem, key = ca.issue("ctl", f"IP:{CTL[0]}")
    (tmp_path / "sip.pem").write_text(pem.read_text() + key.read_text())
    hash = subprocess.run(["openssl", "passwd", "-6", "pw"], capture_output=True, text=True,
                          check=True).stdout.strip()
    d = make_daemon(text=config(
        'tls-cert = "sip.pem"', f'user "desk" {{ password-hash = "{hash}"  role = "operator" }}\n')
        .replace('"tcp:10.9.0.1:5060"', '"tls:10.9.0.1:5061"')
        .replace("web {", 'web { listen = "127.0.0.1:8080" '))
    assert d.ctl("sip", "trace").stdout.strip() == "no calls yet"

    # a page by UDP, with what must not be shown
    call = caller("701")
    call.invite(extra='Authorization: Digest username="u", realm="r", nonce="n", '
                      'uri="sip:x", response="5ec2e7"\r\n')
    call.final(200)
    call.talk(audio.codes(1.0, 9))
    call.inform("7")
    id = d.recorded("call.answered")[0]["id"]
    call.bye()
    wait.until(lambda: d.api.get(f"/sip/traces/{id}")["messages"] == 7, "the whole call")
    trace = d.api.get(f"/sip/traces/{id}")
    said = [(m["way"], m["text"].split("\n")[0]) for m in trace["said"]]
    assert said[0] == ("received", "INVITE sip:701@10.9.0.1 SIP/2.0")
    assert said[1] == ("sent", "SIP/2.0 200 OK") and said[-1] == ("sent", "SIP/2.0 200 OK")
    assert trace["call_id"] == call.id and trace["status"] == 200
    assert trace["said"][0]["from"] == "10.9.0.21:5060" and trace["said"][0]["to"] == "10.9.0.1:5060"
    whole = d.ctl("sip", "trace", str(id)).stdout
    assert "5ec2e7" not in whole and 'username="u"' in whole and "Signal=*" in whole
    assert d.ctl("sip", "trace", trace["trace"]).stdout == whole
    assert d.ctl("sip", "trace", call.id).stdout == whole
    assert str(id) in d.ctl("sip", "trace").stdout

    file = tmp_path / "call.pcap"
    d.ctl("sip", "trace", str(id), "--pcap", str(file))
    packets = tcpdump(file)
    assert "10.9.0.21.5060 > 10.9.0.1.5060" in packets and "INVITE sip:701@10.9.0.1" in packets
    assert packets.count("udp sum ok") == 7 and "5ec2e7" not in packets

    # what TLS carried is readable
    context = ssl.create_default_context(cafile=str(ca.pem))
    raw = site["caller"].socket(kind=socket.SOCK_STREAM)
    raw.connect((CTL[0], 5061))
    with context.wrap_socket(raw, server_hostname=CTL[0]) as s:
        body = sdp("10.9.0.21", 9)
        s.sendall((f"INVITE sip:799@10.9.0.1 SIP/2.0\r\n"
                   f"Via: SIP/2.0/TLS 10.9.0.21:5061;branch=z9hG4bKtls\r\n"
                   f"From: <sip:a@h>;tag=1\r\nTo: <sip:799@h>\r\nCall-ID: by-tls\r\n"
                   f"CSeq: 1 INVITE\r\nContact: <sip:a@10.9.0.21;transport=tls>\r\n"
                   f"Content-Type: application/sdp\r\nContent-Length: {len(body)}\r\n\r\n"
                   f"{body}").encode())
        assert b"404" in s.recv(4096)
    trace = d.api.get("/sip/traces/by-tls")
    refused = d.recorded("call.refused", lambda e: "799" in e["text"])[0]
    assert trace["call"] == refused["id"] and trace["status"] == 404
    assert {m["transport"] for m in trace["said"]} == {"tls"}
    assert "INVITE sip:799@" in trace["said"][0]["text"]

    with pytest.raises(Refused) as e:
        d.api.get("/sip/traces/nobody")
    assert e.value.status == 404 and "no trace" in e.value.error["message"]
    r = d.ctl("sip", "trace", "nobody")
    assert r.returncode == 1 and "no trace" in r.stderr
    for path in ("sip/traces", f"sip/traces/{id}", f"sip/traces/{id}/pcap"):
        r = site["ctl"].run(["curl", "-s", "-u", "desk:pw", f"http://127.0.0.1:8080/api/v1/{path}"])
        assert "only an admin" in r.stdout and "INVITE" not in r.stdout
    shown = d.ctl("sip").stdout
    assert "10.9.0.21/32" in shown and "page" in shown
    assert d.api.get("/sip")["peers"][0]["address"] == "10.9.0.21/32"


MORE = '''
peer "10.9.0.13/32" { allow = { "help" } }
operators "room" { stage "desk" { ring = { "sip:desk@10.9.0.5" }  for = "20s" } }
helppoint "gate" { from = "10.9.0.13"  operators = "room" }
zone "horns" { speaker "sip:horn@10.9.0.22:5060" { codec = { "pcmu" } } }
'''


def test_one_way_audio(make_daemon, site, agent, caller, cleanup):
    """Nothing is heard of a call: that is a fault, with what is likely wrong."""
    d = make_daemon(sip='rtp-timeout = "1s"', more=MORE)

    def fault(part, key="caller:sip:caller@10.9.0.21"):
        return wait.until(lambda: key in d.api.faults() and part in d.api.faults()[key]["text"]
                          and d.api.faults()[key], f"the fault: {part}")

    # a help point whose sound does not come, and that hears nothing; it stays up
    point = Call(agent("bystander"), "112")
    point.invite(body=sdp("10.9.0.13", 9)).final(200)

    # a loudspeaker whose answer names an address that only it has
    horn = Speaker(site["second"], names="127.0.0.1")
    cleanup.callback(horn.close)
    d.api.page(["horns"], "long")

    # no RTP at all; where it wants its sound nothing listens
    call = caller("701")
    call.invite(body=sdp("10.9.0.21", 9)).final(200)
    f = fault("10.9.0.21:9 cannot be reached: Connection refused")
    assert "nothing listens" in f["remedy"]
    call.wait_bye()
    d.recorded("call.ended", lambda e: "no RTP from the caller" in e["text"]
               and "cannot be reached" in e["text"])
    d.recorded("fault.raised", lambda e: "nothing is heard of caller" in e["text"])
    assert "nothing is heard of caller sip:caller@10.9.0.21" in d.ctl("faults").stdout

    # an address that only the phone itself has
    call = caller("701")
    call.invite(body=sdp("127.0.0.1", 4000)).final(200)
    fault("SDP names 127.0.0.1:4000")
    call.wait_bye()

    # what was not agreed
    call = caller("701").dial()
    sender = call.talk(audio.codes(4.0, 9), pt=18)
    fault("payload type 18, but 0 (pcmu) was agreed")
    call.wait_bye()
    sender.stop()

    # from somewhere else, and not what was agreed there: nobody takes it for him
    call = caller("701").dial()
    other = site["caller"].udp()
    sender = Sender(other, call.media, audio.codes(4.0, 9), pt=18).start()
    fault(f"packets come from 10.9.0.21:{other.getsockname()[1]}, but 10.9.0.21:{call.rtp_port}")
    call.wait_bye()
    sender.stop()
    other.close()

    horns = "output:horns sip:horn@10.9.0.22:5060"
    fault("10.9.0.22:5060 does not sound: its SDP names 127.0.0.1", horns + ":address")
    fault("nothing listens there (ICMP port unreachable)", horns)
    fault("no sound comes from it: no RTP came, and 10.9.0.13:9", "helppoint:gate")
    fault("hears nothing: 10.9.0.13:9 cannot be reached", "helppoint:gate:hears")

    # all is well: it is over
    horn.names = "10.9.0.22"
    horn.hang_up()
    wait.until(lambda: not [k for k in d.api.faults() if k.startswith(horns)], "it to clear")
    point.bye()
    point = Call(point.agent, "112", rtp=True).dial()
    point.talk(audio.codes(1.0, 9))
    wait.until(lambda: "helppoint:gate" not in d.api.faults(), "it to clear")
    call = caller("701").dial()
    call.talk(audio.codes(1.0, 9))
    wait.until(lambda: not [k for k in d.api.faults() if k.startswith("caller:")], "it to clear")
    d.recorded("fault.cleared", lambda e: "caller" in e["text"])
    call.bye()
