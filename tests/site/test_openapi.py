"""What others read of a daemon is as its documents say: every path and method of
web/openapi.json answers with a status that is there, in that form; metrics, alert rules and
board are held by promtool, and against one another."""
import json
import pathlib
import re
import subprocess

from jsonschema import Draft202012Validator, RefResolver

# What {x} of a path stands for, by the path's first part: something that there is.
KNOWN = {"zones": "hall", "messages": "notice", "inputs": "panic"}
ROOT = {"/metrics", "/healthz", "/hooks/{name}"}
ETC = pathlib.Path(__file__).parents[2] / "etc/monitoring"
METHODS = ("get", "post", "put", "delete")


def mismatch(document, operation, status, kind, data):
    """Why an answer is not as documented; None when it is."""
    responses = operation["responses"]
    if str(status) not in responses:
        return f"status {status} is not among {sorted(responses)}"
    content = responses[str(status)].get("content")
    if not content:
        return "it has a body" if data else None
    kind = (kind or "").split(";")[0]
    if kind not in content:
        return f"{kind} is not among {sorted(content)}"
    schema = content[kind].get("schema")
    if kind != "application/json" or schema is None:
        return None
    validator = Draft202012Validator(schema, resolver=RefResolver("", document))
    errors = sorted(validator.iter_errors(json.loads(data)), key=str)
    return "; ".join(f"{list(e.absolute_path)}: {e.message[:200]}" for e in errors[:3]) or None


def ask(daemon, method, path, body=None):
    full = path if any(path.startswith(r.split("{")[0]) for r in ROOT) else "/api/v1" + path
    status, data, r = daemon.api.raw(
        method.upper(), full, None if body is None else json.dumps(body),
        {"Content-Type": "application/json"} if body is not None else {})
    return status, r.getheader("Content-Type"), data


def test_all_as_documented(daemon):
    document = daemon.api.get("/openapi.json")
    # Something of each kind to be shown.
    page = daemon.api.post("/broadcasts", {"zones": ["hall"], "message": "long", "repeat": 9})
    wrong, asked = [], 0
    for path, item in document["paths"].items():
        for method in METHODS:
            operation = item.get(method)
            # A stream has no end; what a reload does is seen in test_config_reload.
            if not operation or path in ("/events", "/reload"):
                continue
            head, _, rest = path.partition("{")
            first = head.strip("/").split("/")[0]
            names = ["nobody-has-this-name"]
            if method == "get" or method == "post":
                names.append(str(page["id"]) if first == "broadcasts" else KNOWN.get(first, "1"))
            for name in names if rest else [""]:
                at = head + (name + rest.partition("}")[2] if rest else "")
                for body in (None, {}, {"surely": "unknown"}) if method == "post" else (None,):
                    status, kind, data = ask(daemon, method, at, body)
                    why = mismatch(document, operation, status, kind, data)
                    asked += 1
                    if why:
                        wrong.append(f"{method} {at} {body}: {status} {data[:120]!r}: {why}")
    assert not wrong, "\n".join(wrong)
    assert asked > 100


def test_metrics_by_convention(daemon):
    status, _, text = ask(daemon, "get", "/metrics")
    assert status == 200
    r = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True)
    assert r.returncode == 0 and not r.stderr and not r.stdout, r.stdout + r.stderr
    # What etc/monitoring asks for is there: the rules can be loaded, and no name is stale.
    rules = ETC / "tocsin.rules.yml"
    r = subprocess.run(["promtool", "check", "rules", rules], capture_output=True, text=True)
    assert r.returncode == 0 and "SUCCESS" in r.stdout, r.stdout + r.stderr
    there = set(re.findall(r"^# TYPE (\S+)", text.decode(), re.M))
    board = json.loads((ETC / "tocsin.grafana.json").read_text())
    asked = [t["expr"] for p in board["panels"] for t in p["targets"]]
    asked += re.findall(r"expr: (.*)", rules.read_text())
    used = {re.sub("_bucket$", "", n) for e in asked for n in re.findall(r"tocsin_\w+", e)}
    assert len(used) > 15 and used <= there, used - there
