"""Home Assistant discovery, played by a client that knows Home Assistant's rules only:
it reads the retained configurations, renders their templates and drives the entities."""
import json
import random
import re
from datetime import datetime, timezone

import jinja2
import pytest

from conftest import config
from lib import wait

T = "tocsin/test/"
MQTT = 'mqtt { broker = "mqtt://10.9.0.5"  discovery = true }\n'
MORE = MQTT + '''
input "gas.room" { mqtt = "plant/gas/+/level"  above = 40 }
alarm "gas" { inputs = { "gas.room" }  outputs = { "beacon" } }
'''
CONFIG = re.compile(r"homeassistant/([a-z_]+)/([A-Za-z0-9_-]+)/([A-Za-z0-9_-]+)/config$")


def template(text, **names):
    env = jinja2.Environment(undefined=jinja2.ChainableUndefined)
    env.filters["random"] = random.choice
    env.filters["tojson"] = json.dumps
    return env.from_string(text).render(now=lambda: datetime.now(timezone.utc), **names)


class HomeAssistant:
    def __init__(self, client):
        self.client = client

    def entities(self):
        """By component and object: what is retained now."""
        found = {}
        for topic, (_, payload, _) in list(self.client.latest.items()):
            m = CONFIG.match(topic)
            if m and payload:
                found[(m[1], m[3])] = json.loads(payload)
        return found

    def entity(self, component, object):
        return wait.until(lambda: self.entities().get((component, object)),
                          f"{component} {object} to appear")

    def _latest(self, topic):
        return self.client.latest.get(topic, (None, "", None))[1]

    def state(self, e):
        payload = self._latest(e["state_topic"])
        try:
            value_json = json.loads(payload)
        except ValueError:
            value_json = None
        return template(e["value_template"], value=payload, value_json=value_json)

    def available(self, e):
        assert e["availability_mode"] == "all"
        return all(template(a.get("value_template", "{{ value }}"),
                            value=self._latest(a["topic"]),
                            value_json=json.loads(self._latest(a["topic"]) or "{}")
                            if "value_template" in a else None)
                   == a["payload_available"] for a in e["availability"])

    def wait_state(self, e, state):
        wait.until(lambda: self.state(e) == state, f"{e['name']} to be {state}")

    def send(self, e, value):
        payload = template(e["command_template"], value=value)
        id = json.loads(payload)["id"]
        self.client.publish(e["command_topic"], payload, qos=e.get("qos", 0))
        return self.client.wait(f"{T}reply/{id}")["status"]


@pytest.fixture
def site_ha(broker, mqtt, make_daemon):
    ha = HomeAssistant(mqtt(broker))
    return ha, make_daemon(more=MORE), broker


def test_entities_appear_and_obey(site_ha, hall):
    ha, d, _ = site_ha
    alarm = ha.entity("binary_sensor", "alarm_panic")
    ha.entity("binary_sensor", "zone_yard")
    every = wait.until(lambda: len(ha.entities()) == 27 and ha.entities(), "all entities")
    ids = [e["unique_id"] for e in every.values()]
    assert len(set(ids)) == len(ids)
    for (component, _), e in every.items():
        assert e["device"] == alarm["device"] and e["device"]["identifiers"] == ["tocsin_test"]
        assert e["availability"][0]["topic"] == T + "status"
        assert e["name"] and e["origin"]["name"] == "tocsin"
        if "state_topic" in e:
            wait.until(lambda: e["state_topic"] in ha.client.latest, f"{e['state_topic']}")
        if component == "button" and e["unique_id"].endswith("_trigger"):
            assert e["enabled_by_default"] is False

    # An input as a switch, its alarm, the zone that sounds, the buttons.
    panic = ha.entity("switch", "input_panic")
    zone = ha.entity("binary_sensor", "zone_hall")
    assert ha.available(panic) and ha.state(panic) == panic["state_off"]
    assert ha.state(alarm) == ha.state(zone) == "OFF"
    assert ha.send(panic, panic["payload_on"]) == 200
    ha.wait_state(panic, panic["state_on"])
    for e in (alarm, zone, ha.entity("switch", "output_beacon")):
        ha.wait_state(e, "ON")
    assert ha.send(ha.entity("button", "alarm_panic_ack"), None) == 200
    wait.until(lambda: d.api.get("/alarms/panic")["state"] == "acknowledged", "the alarm")
    assert ha.send(panic, panic["payload_off"]) == 200
    assert ha.send(ha.entity("button", "alarm_panic_reset"), None) == 200
    for e in (alarm, zone):
        ha.wait_state(e, "OFF")
    assert [e for e in d.recorded("alarm.reset") if e["actor"].startswith("mqtt:ha-")]

    # A volume, an output.
    volume = ha.entity("number", "zone_hall_volume")
    assert ha.send(volume, -6.0) == 200 and volume["min"] <= -6 <= volume["max"]
    ha.wait_state(volume, "-6.0")
    beacon = ha.entity("switch", "output_beacon")
    assert ha.send(beacon, beacon["payload_on"]) == 200
    ha.wait_state(beacon, beacon["state_on"])

    # The site's mode.
    mode = ha.entity("select", "mode")
    ha.wait_state(mode, "day")
    assert "night" in mode["options"] and ha.send(mode, "night") == 200
    ha.wait_state(mode, "night")

    # Quality and faults: a lost sensor is unavailable, not normal.
    gas = next(e for (c, o), e in ha.entities().items() if o.startswith("input_gas_room_"))
    faults = ha.entity("binary_sensor", "faults")
    assert not ha.available(gas) and ha.state(faults) == "OFF"
    ha.client.publish("plant/gas/7/level", "12")
    wait.until(lambda: ha.available(gas), "the sensor")
    ha.client.publish("plant/gas/7/level", "NaN")
    wait.until(lambda: not ha.available(gas), "the sensor to be lost")
    ha.wait_state(faults, "ON")
    problem = next(e for (c, o), e in ha.entities().items() if o.startswith("fault_"))
    ha.wait_state(problem, "ON")
    ha.wait_state(ha.entity("binary_sensor", "output_fault"), "ON")
    ha.client.publish("plant/gas/7/level", "12")
    ha.wait_state(problem, "OFF")
    ha.wait_state(faults, "OFF")

    d.stop()
    wait.until(lambda: not ha.available(alarm), "the device to be unavailable")
    d.expect_dead = True


def retained(client):
    return {t for t, (_, p, _) in client.latest.items() if p}


def test_the_vanished_are_taken_back(site_ha, mqtt):
    """By a reload, and of a process that was killed with another configuration."""
    ha, d, broker = site_ha
    ha.entity("binary_sensor", "alarm_gas")
    ha.entity("switch", "input_second")
    ha.client.publish("plant/gas/7/level", "NaN")
    ha.client.wait(T + "fault/input:gas.room")
    assert d.reload(config(more=MQTT))["type"] == "config.loaded"

    def gone(client):
        return not [t for t in retained(client) if "gas" in t and not t.startswith("plant")
                    and not t.startswith(T + "event")]
    wait.until(lambda: gone(ha.client), "what was removed to go")
    assert T + "alarm/panic/state" in retained(ha.client)

    assert d.reload(config(more=MORE))["type"] == "config.loaded"
    ha.entity("binary_sensor", "alarm_gas")
    n = len(ha.client.messages)
    ha.client.publish("plant/gas/7/level", "NaN")
    wait.until(lambda: "input:gas.room" in d.api.faults(), "the fault")
    ha.client.wait(T + "fault/input:gas.room", lambda v: v, n)
    d.kill()
    d.write(config(more=MQTT.replace("discovery = true", "")))
    d.start()
    wait.until(lambda: d.api.get("/status")["mqtt"] == "connected", "the connection")

    def clean():
        with mqtt(broker) as late:
            late.wait(T + "status")
            late.wait(T + "zone/yard/state")
            left = retained(late)
        return not [t for t in left if t.startswith("homeassistant/") or "gas.room" in t
                    or t == T + "alarm/gas/state"] and T + "alarm/panic/state" in left
    wait.until(clean, "the broker to hold nothing old", every=0.5)
