/* What a good configuration becomes: fields, defaults, files, look-ups. */
#include "config_util.h"

#include "controller/base/scope.h"

#include <arpa/inet.h>

/* As the bench writes it: sections and several keys on one line. */
static const char bench[] =
	"site = \"bench\"\n"
	"state-dir = \"/tmp/x/state\"\n"
	"sip { listen = { \"udp:10.77.0.1:5060\" } rtp-ports = "
	"\"20000-29999\" }\n"
	"peer \"10.77.0.0/16\" { allow = { \"page\", \"help\" } max-priority = "
	"\"emergency\" }\n"
	"web { listen = \"127.0.0.1:8080\" socket = \"/tmp/x/tocsin.sock\" }\n"
	"zone \"z0\" { multicast \"239.255.0.1:5004\" { codec = \"pcmu\" "
	"interface = \"tbs\" } }\n"
	"zone \"every\" { extension = \"page\" zones = { \"z0\" } }\n"
	"message \"page\" { file = \"file.wav\" }\n";

static void test_bench(void **state)
{
	struct world *w = world_new();
	struct config *c;
	const struct config_sound *s;

	(void)state;
	world_write(w, "file.wav", "x");
	c = world_load(w, bench);
	assert_int_equal(w->n, 0);
	assert_string_equal(c->site, "bench");
	assert_null(c->timezone);
	assert_int_equal(c->sip.n_listen, 1);
	assert_int_equal(c->sip.listen->transport, TRANSPORT_UDP);
	assert_string_equal(c->sip.listen->host, "10.77.0.1");
	assert_int_equal(c->sip.listen->port, 5060);
	assert_int_equal(c->sip.rtp_min, 20000);
	assert_int_equal(c->sip.rtp_max, 29999);
	assert_true(c->peers->page && c->peers->help);
	assert_int_equal(c->peers->max_level, 200);
	assert_int_equal(c->peers->prefix, 16);
	assert_string_equal(c->web.host, "127.0.0.1");
	assert_int_equal(c->web.port, 8080);
	assert_false(c->mqtt.present);
	assert_int_equal(c->n_zones, 2);
	assert_int_equal(config_zone_find(c, "every"), 1);
	assert_int_equal(config_extension_find(c, "page"), 1);
	assert_int_equal(c->zones[1].n_zones, 1);
	assert_int_equal(c->zones[1].zones[0], 0);
	assert_int_equal(c->zones[1].n_outputs, 1);
	assert_int_equal(c->zones[1].n_own, 0);
	assert_int_equal(c->zones[0].n_own, 1);
	assert_true(media_set_has(&c->zones[1].outputs, 0));
	assert_int_equal(c->zones[1].at.line, 7);
	s = c->sounds;
	assert_int_equal(c->n_sounds, 1);
	assert_string_equal(s->name, "239.255.0.1:5004");
	assert_string_equal(s->interface, "tbs");
	assert_int_equal(s->zone, 0);
	assert_int_equal(s->out.ttl, 1);
	assert_int_equal(s->out.dscp, 46);
	assert_true(s->out.loop);
	assert_int_equal(s->out.fmt.codec, CODEC_PCMU);
	assert_int_equal(s->out.fmt.ptime_ms, 20);
	assert_int_equal(s->out.fmt.rate, 8000);
	assert_int_equal(c->messages->cycles, 1);
	assert_null(c->messages->tone);
	assert_int_equal(c->messages->n_files, 1);
	assert_string_equal(c->messages->files[0], world_path(w, "file.wav"));
	config_free(c);
	world_free(w);
}

static void test_defaults(void **state)
{
	struct world *w = world_new();
	struct config *c = world_load(w, "");

	(void)state;
	assert_string_equal(c->state_dir, "/var/lib/tocsin");
	assert_string_equal(c->log_level, "info");
	assert_false(c->tie_last);
	assert_int_equal(c->levels[CLASS_EVACUATE], 250);
	assert_int_equal(c->levels[CLASS_MUSIC], 10);
	assert_int_equal(c->media.rt_priority, 50);
	assert_int_equal(c->media.tail_ms, 300);
	assert_int_equal(c->media.duck_cb, -150);
	assert_int_equal(c->media.queue_ms, 60000);
	assert_int_equal(c->sip.n_listen, 0);
	assert_int_equal(c->sip.rtp_timeout_ms, 10000);
	assert_int_equal(c->sip.max_page_ms, 600000);
	assert_int_equal(c->sip.preempted, PREEMPTED_WAIT);
	assert_int_equal(c->sip.preempt_wait_ms, 10000);
	assert_string_equal(c->sip.go_ahead, "go-ahead");
	assert_string_equal(c->sip.chime, "");
	assert_int_equal(c->sip.max_calls, 200);
	assert_null(c->web.host);
	assert_string_equal(c->web.socket, "/run/tocsin/tocsin.sock");
	assert_string_equal(c->web.group, "tocsin");
	config_free(c);
	world_free(w);
}

/** Everything that can be given, given. */
/** A digest in hexadecimal. */
#define TOKEN "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const char full[] =
	"site = plant-7  timezone = \"Europe/Berlin\"  state-dir = 'st'\n"
	"log-level = debug  tie = last // comment\n"
	"priorities { evacuate = 255 alert = 230 /* a { b */ emergency = 210\n"
	"  urgent = 199 page = 90 bell = 50 music = 0 }\n"
	"media { realtime-priority = 0 tail = 0 duck = -6.5 queue = '2m' }\n"
	"sip { listen = { 'tcp:[fd00::7]:5062', \"udp:10.7.0.2:5060\", }\n"
	"  rtp-ports = \"21001-21008\" rtp-timeout = \"5s\" max-page = 0\n"
	"  preempted = end preempt-wait = 1.5s go-ahead = \"\" dscp = 0 }\n"
	"peer \"fd00:7::/64\" { allow = page zones = { hall } }\n"
	"peer \"10.7.1.9\" { allow = { help } max-priority = 123\n"
	"  zones = { \"*\" } }\n"
	"zone all { zones = { \"*\" } except = { yard } extension = \"*70#\" "
	"}\n"
	"zone hall { gain = -3.5 lead = \"300ms\" min-priority = bell\n"
	"  max-page = 30s\n"
	"  multicast \"239.192.7.1:5004\" { codec = l16 rate = 48000\n"
	"    interface = eth1 ttl = 8 dscp = 0 loop = no payload-type = 97 }\n"
	"  unicast \"[fd00::9]:4001\" { codec = pcma ptime = 40 delay = 250ms\n"
	"    redundancy = 1 unicast = { \"10.1.1.1:5004\", \"[fd00::1]:6\" } "
	"}\n"
	"  polycom \"224.0.1.116:5001\" { group = 26 ptime = 30\n"
	"  interface = eth1 emergency-from = emergency serial = 00abCDef\n"
	"  caller-id = \"Front desk\" source-port = 5005 }\n"
	"  polycom \"239.0.1.116:5001\" { channel = 3 interface = eth1 }\n"
	"  speaker \"sip:h@10.7.3.9;transport=tcp\" { codec = { opus, pcmu }\n"
	"    answer = answer-mode keep = yes wait = 0s check = 20s } }\n"
	"zone yard { multicast \"239.192.7.2:5004\" { interface = eth1 } }\n"
	"zone both { zones = { hall, yard, hall } }\n"
	"message m { tone = \"test\" tone-for = 6s file = { 'a.wav', b.wav }\n"
	"  gap = 4s repeat = until-reset }\n"
	"message n { tone = \"test\" repeat = 10m }\n"
	"message o { tone = \"test\" repeat = 3 }\n"
	"input v { virtual = true }\n"
	"input gas { mqtt = \"plant/gas/+/level\" json = \"a.0.b\" above = 40\n"
	"  clear-below = 30.25 below = -1 max-age = 30s }\n"
	"input word { mqtt = \"w\" match = 'say \"${x}\" \\\\' }\n"
	"input gate { gpio = \"/dev/gpiochip0:17\" active = low debounce = 0 "
	"}\n"
	"input door { modbus = \"tcp:10.7.2.9\" unit = 3 discrete = 12 active "
	"= "
	"low }\n"
	"input level { modbus = \"rtu:/dev/ttyUSB0:9600\" holding = 40 type = "
	"f32\n"
	"  word-order = cdab scale = 0.1 offset = -40 above = 7 poll = 1s }\n"
	"input state { modbus = \"tcp:10.7.2.9:502\" input = 4 mask = 0xf0\n"
	"  equals = 0x20 }\n"
	"input loop { modbus = \"tcp:10.7.2.9:502\" input = 5 scale = 0.01\n"
	"  short = \"..2\" alarm = \"2..5\" normal = \"5..9.5\" open = "
	"\"9.5..\"\n  hysteresis = 0.2 fault-hold = 3s }\n"
	"input both { pair = { gate, door } normal = \"01\" alarm = \"10\"\n"
	"  open = { \"00\", \"11\" } }\n"
	"bus \"tcp:10.7.2.9\" { timeout = 250ms retries = 0 gap = 4 }\n"
	"output b { gpio = \"gpiochip0:BEACON\" active = low role = fault }\n"
	"output t { mqtt = \"out/t\" on = '{\"on\":1}' off = \"\" }\n"
	"output sign { modbus = \"tcp:10.7.2.9\" holding = 5 on-value = 7\n"
	"  read-back = off }\n"
	"alarm a { inputs = { v, gas } latch = false outputs = { t }\n"
	"  broadcast { message = m zones = { all, yard } priority = evacuate "
	"}\n"
	"  broadcast { message = o zones = both }\n"
	"  call { operators = room message = o after = 2s until = ack } }\n"
	"operators room { rounds = 2 hear = 20s\n"
	"  stage desk { ring = { \"sip:201@10.7.0.10\", \"sip:10.7.0.9\" }\n"
	"    for = 5s }\n"
	"  stage duty { ring = \"sip:9@10.7.0.10;transport=tcp\"\n"
	"    confirm = yes } }\n"
	"helppoint p2 { from = \"10.7.1.9\" operators = room priority = "
	"urgent\n"
	"  location = \"Platform 2\" camera = c1 comfort = m announce = o\n"
	"  unanswered = a extension = 112 }\n"
	"mqtt { broker = \"mqtts://[fd00::2]\" user = u password-file = pw\n"
	"  ca = pw cert = pw key = pw client-id = c keepalive = 1m\n"
	"  command-max-age = 3s commands = off }\n"
	"plc { listen = \"10.7.0.2:502\" allow = { \"10.7.2.9\", "
	"\"10.7.3.0/24\" }\n"
	"  unit = 4 zones = { yard } alarms = a inputs = { gate, gas }\n"
	"  reset = a }\n"
	"web { listen = \"[::1]:8443\" tls-cert = pw socket = s group = adm }\n"
	"user lead { password-hash = '$6$saltsalt$"
	"qFmFH.bQmmtXzyBY0s9v7Oicd2z4XSIecDzlB5KiA2/jctKu9YterLp8wwnSq.qc.eoxqO"
	"mSuNp2xS0ktL3nh/' role = operator zones = { hall } messages = m }\n"
	"token scada { hash = 'sha256:" TOKEN "' scopes = { page, view }\n"
	"  zones = hall messages = { m } expires = '2030-01-31' }\n";

static struct config *load_full(struct world *w)
{
	world_write(w, "a.wav", "x");
	world_write(w, "b.wav", "x");
	world_write(w, "pw", "x");
	return world_load(w, full);
}

static void check_full_access(const struct config *c)
{
	const struct config_token *t = &c->tokens[0];

	assert_int_equal(c->n_tokens, 1);
	assert_string_equal(t->hash, "sha256:" TOKEN);
	assert_int_equal(t->scopes, SCOPE_PAGE | SCOPES_VIEWER);
	assert_int_equal(t->expires_s, 1896048000);
	assert_int_equal(t->n_zones, 1);
	assert_int_equal(t->n_messages, 1);
	assert_int_equal(c->users[0].n_messages, 1);
}

static void check_full_top(const struct config *c, const struct world *w)
{
	assert_string_equal(c->site, "plant-7");
	assert_string_equal(c->timezone, "Europe/Berlin");
	assert_string_equal(c->state_dir, world_path(w, "st"));
	assert_string_equal(c->log_level, "debug");
	assert_true(c->tie_last);
	assert_int_equal(c->levels[CLASS_URGENT], 199);
	assert_int_equal(c->media.rt_priority, 0);
	assert_int_equal(c->media.tail_ms, 0);
	assert_int_equal(c->media.duck_cb, -65);
	assert_int_equal(c->media.queue_ms, 120000);
	assert_int_equal(c->sip.n_listen, 2);
	assert_int_equal(c->sip.listen[0].transport, TRANSPORT_TCP);
	assert_string_equal(c->sip.listen[0].host, "fd00::7");
	assert_int_equal(c->sip.listen[0].port, 5062);
	/* 21002/3, 21004/5, 21006/7: an even port and the one above it. */
	assert_int_equal(c->sip.max_calls, 3);
	assert_int_equal(c->sip.max_page_ms, 0);
	assert_int_equal(c->sip.preempted, PREEMPTED_END);
	assert_int_equal(c->sip.preempt_wait_ms, 1500);
	assert_string_equal(c->sip.go_ahead, "");
	assert_int_equal(c->sip.dscp_rtp, 0);
	assert_true(c->peers[0].page && !c->peers[0].help);
	assert_int_equal(c->peers[0].max_level, 90);
	assert_int_equal(c->peers[0].n_zones, 1);
	assert_int_equal(c->peers[0].zones[0], config_zone_find(c, "hall"));
	assert_int_equal(c->peers[1].max_level, 123);
	assert_int_equal(c->peers[1].n_zones, 0);
	assert_true(c->mqtt.present && c->mqtt.broker[0].tls &&
		    !c->mqtt.commands);
	assert_string_equal(c->mqtt.broker[0].host, "fd00::2");
	assert_int_equal(c->mqtt.broker[0].port, 8883);
	assert_int_equal(c->mqtt.keepalive_s, 60);
	assert_int_equal(c->mqtt.command_max_age_ms, 3000);
	assert_string_equal(c->mqtt.password_file, world_path(w, "pw"));
	assert_string_equal(c->web.host, "::1");
	assert_int_equal(c->web.port, 8443);
	assert_string_equal(c->web.socket, world_path(w, "s"));
	assert_int_equal(c->users->role, USER_OPERATOR);
	assert_int_equal(c->users->n_zones, 1);
}

static void check_full_zones(const struct config *c)
{
	const struct config_zone *all = &c->zones[0], *hall = &c->zones[1],
				 *both = &c->zones[3];
	const struct config_sound *s = &c->sounds[hall->own[0]];

	assert_true(all->all);
	assert_int_equal(all->n_zones, 1);
	assert_int_equal(all->zones[0], 1);
	assert_int_equal(all->n_outputs, 5);
	assert_string_equal(all->extension, "*70#");
	assert_int_equal(both->n_outputs, 6);
	assert_int_equal(both->n_zones, 2);
	assert_int_equal(hall->lead_ms, 300);
	assert_int_equal(hall->gain_cb, -35);
	assert_int_equal(hall->min_level, 50);
	assert_int_equal(hall->max_page_ms, 30000);
	assert_int_equal(hall->n_own, 5);
	assert_int_equal(s->out.fmt.codec, CODEC_L16);
	assert_int_equal(s->out.fmt.rate, 48000);
	assert_int_equal(s->out.fmt.ptime_ms, 10);
	assert_int_equal(s->out.fmt.pt, 97);
	assert_int_equal(s->out.fmt.gain_cb, -35);
	assert_int_equal(s->out.ttl, 8);
	assert_int_equal(s->out.dscp, 0);
	assert_false(s->out.loop);
	s = &c->sounds[hall->own[1]];
	assert_int_equal(s->out.dst.ss_family, AF_INET6);
	assert_null(s->interface);
	assert_int_equal(s->out.fmt.codec, CODEC_PCMA);
	assert_int_equal(s->out.fmt.pt, 8);
	assert_int_equal(s->out.fmt.ptime_ms, 40);
	assert_int_equal(s->out.fmt.gain_cb, -35);
	assert_int_equal(s->out.delay_ms, 250);
	assert_int_equal(s->out.copy_us, 20000);
	assert_int_equal(s->out.n_fan, 2);
	assert_int_equal(s->out.fan[1].ss_family, AF_INET6);
	s = &c->sounds[hall->own[2]];
	assert_int_equal(s->kind, SOUND_POLYCOM);
	assert_int_equal(s->out.polycom.channel, 26);
	assert_int_equal(s->out.polycom.emergency_from, 210);
	assert_int_equal(s->out.polycom.priority_from, 0);
	assert_int_equal(s->out.polycom.serial, 0x00abcdef);
	assert_int_equal(s->out.source_port, 5005);
	assert_string_equal(s->out.polycom.caller, "Front desk");
	assert_int_equal(s->out.fmt.ptime_ms, 30);
	s = &c->sounds[hall->own[3]];
	assert_int_equal(s->out.polycom.channel, 3);
	assert_int_equal(s->out.source_port, 5001);
	assert_string_equal(s->out.polycom.caller, "hall");
	s = &c->sounds[hall->own[4]];
	assert_int_equal(s->kind, SOUND_SPEAKER);
	assert_int_equal(s->speaker.n_codecs, 2);
	assert_int_equal(s->speaker.codecs[0], CODEC_OPUS);
	assert_int_equal(s->speaker.answer, ANSWER_MODE);
	assert_true(s->speaker.keep);
	assert_int_equal(s->speaker.wait_ms, 0);
	assert_int_equal(s->speaker.check_ms, 20000);
	assert_int_equal(s->speaker.linger_ms, 3000);
	assert_int_equal(s->out.fmt.gain_cb, -35);
}

static void check_full_field(const struct config *c)
{
	const struct config_input *i = c->inputs;
	const struct config_output *o = c->outputs;
	const struct config_alarm *a = c->alarms;

	assert_int_equal(c->messages[0].tone_ms, 6000);
	assert_int_equal(c->messages[0].n_files, 2);
	assert_int_equal(c->messages[0].gap_ms, 4000);
	assert_int_equal(c->messages[0].cycles, 0);
	assert_int_equal(c->messages[1].for_ms, 600000);
	assert_int_equal(c->messages[2].cycles, 3);
	assert_int_equal(i[0].kind, INPUT_VIRTUAL);
	assert_int_equal(i[1].kind, INPUT_MQTT);
	assert_string_equal(i[1].topic, "plant/gas/+/level");
	assert_string_equal(i[1].json, "a.0.b");
	assert_true(i[1].has_above && i[1].above == 40);
	assert_true(i[1].clear_below == 30.25);
	assert_true(i[1].has_below && i[1].below == -1);
	assert_true(i[1].clear_above == -1);
	assert_int_equal(i[1].max_age_ms, 30000);
	assert_string_equal(i[2].match, "say \"${x}\" \\");
	assert_int_equal(i[3].kind, INPUT_GPIO);
	assert_string_equal(i[3].chip, "/dev/gpiochip0");
	assert_string_equal(i[3].line, "17");
	assert_true(i[3].active_low);
	assert_int_equal(i[3].debounce_ms, 0);
	assert_int_equal(i[4].kind, INPUT_MODBUS);
	assert_string_equal(i[4].modbus.bus, "tcp:10.7.2.9:502");
	assert_int_equal(i[4].modbus.unit, 3);
	assert_int_equal(i[4].modbus.table, MBUS_DISCRETE);
	assert_int_equal(i[4].modbus.address[MBUS_DISCRETE], 12);
	assert_int_equal(i[4].modbus.poll_ms, 200);
	assert_true(i[4].active_low);
	assert_string_equal(i[5].modbus.bus, "rtu:/dev/ttyUSB0:9600:8E1");
	assert_int_equal(i[5].modbus.format.type, MBUS_F32);
	assert_int_equal(i[5].modbus.format.order, MBUS_CDAB);
	assert_true(i[5].modbus.format.scale == 0.1);
	assert_true(i[5].modbus.format.offset == -40);
	assert_true(i[5].above == 7 && i[5].clear_below == 7);
	assert_int_equal(i[6].modbus.mask, 0xf0);
	assert_int_equal(i[6].modbus.equals, 0x20);
	assert_true(i[6].modbus.has_equals && !i[6].modbus.has_bit);
	assert_int_equal(i[7].loop.n, 4);
	assert_true(i[7].loop.window[2].high == 9.5);
	assert_int_equal(i[7].loop.window[2].state, LOOP_NORMAL);
	assert_true(i[7].loop.hysteresis == 0.2);
	assert_int_equal(i[7].loop.hold_ms, 200);
	assert_int_equal(i[7].loop.fault_hold_ms, 3000);
	assert_int_equal(i[8].kind, INPUT_PAIR);
	assert_int_equal(i[8].pair[0], 3);
	assert_int_equal(i[8].loop.window[1].state, LOOP_NORMAL);
	assert_int_equal(i[6].loop.hold_ms, 0);
	assert_true(c->plc.present);
	assert_int_equal(c->plc.port, 502);
	assert_int_equal(c->plc.unit, 4);
	assert_int_equal(c->plc.n_allow, 2);
	assert_int_equal(c->plc.allow[1].prefix, 24);
	assert_int_equal(c->plc.inputs[0], 3);
	assert_int_equal(c->plc.n_trigger, 0);
	assert_int_equal(c->plc.n_reset, 1);
	assert_int_equal(o[2].modbus.on, 7);
	assert_false(o[2].modbus.readback);
	assert_int_equal(config_bus_timing(c, "tcp:10.7.2.9:502")->timeout_ms,
			 250);
	assert_int_equal(config_bus_timing(c, "tcp:10.7.2.9:502")->retries, 0);
	assert_int_equal(config_bus_timing(c, "tcp:10.7.2.8:502")->timeout_ms,
			 500);
	assert_int_equal(o[0].kind, OUTPUT_GPIO);
	assert_int_equal(o[0].role, ROLE_FAULT);
	assert_string_equal(o[0].line, "BEACON");
	assert_string_equal(o[1].on, "{\"on\":1}");
	assert_string_equal(o[1].off, "");
	assert_int_equal(a->n_inputs, 2);
	assert_int_equal(a->inputs[1], 1);
	assert_false(a->latch);
	assert_int_equal(a->n_effects, 3);
	assert_int_equal(a->effects[2].kind, EFFECT_CALL);
	assert_int_equal(a->effects[2].operators, 0);
	assert_int_equal(a->effects[2].after_ms, 2000);
	assert_int_equal(c->n_helppoints, 1);
	assert_int_equal(c->helppoints[0].kind, FROM_NET);
	assert_int_equal(c->helppoints[0].prefix, 32);
	assert_int_equal(c->helppoints[0].operators, 0);
	assert_int_equal(c->helppoints[0].level, c->levels[CLASS_URGENT]);
	assert_int_equal(c->helppoints[0].n_unanswered, 1);
	assert_string_equal(c->helppoints[0].comfort, "m");
	assert_string_equal(c->helppoints[0].extension, "112");
	assert_int_equal(c->n_operators, 1);
	assert_int_equal(c->operators[0].rounds, 2);
	assert_int_equal(c->operators[0].hear_ms, 20000);
	assert_int_equal(c->operators[0].n_stages, 2);
	assert_int_equal(c->operators[0].stages[0].n_ring, 2);
	assert_int_equal(c->operators[0].stages[0].for_ms, 5000);
	assert_string_equal(c->operators[0].stages[1].ring[0],
			    "sip:9@10.7.0.10;transport=tcp");
	assert_true(c->operators[0].stages[1].confirm);
	assert_int_equal(a->effects[0].level, 255);
	assert_int_equal(a->effects[0].n_zones, 2);
	assert_int_equal(a->effects[1].level, 210);
	assert_int_equal(a->effects[1].message, 2);
	assert_int_equal(a->n_outputs, 1);
	assert_int_equal(a->outputs[0], 1);
}

static void test_full(void **state)
{
	struct world *w = world_new();
	struct config *c = load_full(w);

	(void)state;
	check_full_top(c, w);
	check_full_access(c);
	check_full_zones(c);
	check_full_field(c);
	config_free(c);
	world_free(w);
}

static char *dump_of(const struct config *c)
{
	char *text = NULL;
	size_t n;
	FILE *f = open_memstream(&text, &n);

	assert_non_null(f);
	config_dump(c, f);
	fclose(f);
	return text;
}

/** Behind the comment that names the files. */
static const char *body(const char *dump)
{
	while (*dump == '#')
		dump = strchr(dump, '\n') + 1;
	return dump;
}

/** The dump loads to what was dumped: the second dump is the same. */
static void test_dump(void **state)
{
	struct world *w = world_new(), *v = world_new();
	struct config *c = load_full(w), *d;
	char *first = dump_of(c), *second;

	(void)state;
	assert_null(strstr(first, "saltsalt"));
	d = world_load(v, first);
	second = dump_of(d);
	assert_string_equal(body(first), body(second));
	assert_string_equal(d->users->password_hash, "*");
	/* All but the hash is as it was. */
	check_full_top(d, w);
	check_full_zones(d);
	check_full_field(d);
	free(first);
	free(second);
	config_free(c);
	config_free(d);
	world_free(w);
	world_free(v);
}

/** The shipped files load, without even a warning. */
static void test_shipped(void **state)
{
	static const char *const files[] = {"etc/tocsin.conf",
					    "etc/demo/demo.conf"};
	struct world *w = world_new();

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct config *c = NULL;

		assert_int_equal(config_load(&c, files[i], world_hear, w), 0);
		assert_int_equal(w->n, 0);
		/* Nothing of them may reach a network. */
		for (size_t k = 0; k < c->n_sounds; k++)
			assert_string_equal(c->sounds[k].interface, "lo");
		for (size_t k = 0; k < c->sip.n_listen; k++)
			assert_string_equal(c->sip.listen[k].host, "127.0.0.1");
		assert_null(c->web.host);
		assert_false(c->mqtt.present);
		config_free(c);
	}
	world_free(w);
}

static void test_dropins(void **state)
{
	struct world *w = world_new();
	struct config *c;

	(void)state;
	assert_int_equal(mkdir(world_path(w, "conf.d"), 0700), 0);
	world_write(w, "conf.d/20-b.conf",
		    "zone \"b\" { unicast \"1.2.3.4:5004\" { } }");
	world_write(w, "conf.d/10-a.conf",
		    "zone \"a\" { zones = { \"main\", \"b\" } }\n"
		    "message \"m\" { file = \"m.wav\" }");
	world_write(w, "conf.d/m.wav", "x");
	world_write(w, "conf.d/README", "no configuration {");
	world_write(w, "conf.d/.hidden.conf", "no configuration {");
	c = world_load(w, "zone \"main\" { unicast \"1.2.3.5:5004\" { } }");
	assert_int_equal(c->n_files, 3);
	assert_non_null(strstr(c->files[1], "/10-a.conf"));
	assert_non_null(strstr(c->files[2], "/20-b.conf"));
	assert_int_equal(c->zones[1].n_outputs, 2);
	assert_string_equal(c->messages->files[0],
			    world_path(w, "conf.d/m.wav"));
	config_free(c);
	world_free(w);
}

/** Secrets of the environment must not get in by ${...}. */
static void test_environment(void **state)
{
	struct world *w = world_new();
	struct config *c;

	(void)state;
	setenv("TOCSIN_TEST_SECRET", "leaked", 1);
	c = world_load(w, "# ${TOCSIN_TEST_SECRET}\n"
			  "input \"i\" { virtual = true }\n"
			  "mqtt { broker = \"mqtt://h\" client-id = "
			  "'${TOCSIN_TEST_SECRET}' }\nsite = \"s\"");
	assert_string_equal(c->mqtt.client_id, "${TOCSIN_TEST_SECRET}");
	config_free(c);
	world_free(w);
}

static void test_levels(void **state)
{
	struct world *w = world_new();
	struct config *c = world_load(w, "priorities { page = 101 }");

	(void)state;
	assert_int_equal(config_level(c, "page"), 101);
	assert_int_equal(config_level(c, "evacuate"), 250);
	assert_int_equal(config_level(c, "0"), 0);
	assert_int_equal(config_level(c, "255"), 255);
	assert_int_equal(config_level(c, "256"), -1);
	assert_int_equal(config_level(c, "-1"), -1);
	assert_int_equal(config_level(c, "Page"), -1);
	assert_int_equal(config_level(c, ""), -1);
	assert_int_equal(config_level(c, NULL), -1);
	assert_string_equal(config_level_name(c, 255), "evacuate");
	assert_string_equal(config_level_name(c, 200), "emergency");
	assert_string_equal(config_level_name(c, 101), "page");
	assert_string_equal(config_level_name(c, 100), "bell");
	assert_string_equal(config_level_name(c, 0), "music");
	config_free(c);
	world_free(w);
}

static const char *match(const struct config *c, const char *address)
{
	struct sockaddr_storage ss = {0};
	struct sockaddr_in *in = (struct sockaddr_in *)&ss;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&ss;
	const struct config_peer *p;

	if (inet_pton(AF_INET, address, &in->sin_addr) == 1)
		ss.ss_family = AF_INET;
	else if (inet_pton(AF_INET6, address, &in6->sin6_addr) == 1)
		ss.ss_family = AF_INET6;
	p = config_peer_match(c, (struct sockaddr *)&ss);
	return p ? p->name : "stranger";
}

static void test_peers(void **state)
{
	struct world *w = world_new();
	struct config *c =
		world_load(w, "peer \"10.7.0.0/16\" { allow = page }\n"
			      "peer \"10.7.1.128/25\" { allow = page }\n"
			      "peer \"10.7.1.200\" { allow = page }\n"
			      "peer \"fd00:7::/33\" { allow = page }\n");

	(void)state;
	assert_string_equal(match(c, "10.7.0.1"), "10.7.0.0/16");
	assert_string_equal(match(c, "10.7.1.127"), "10.7.0.0/16");
	assert_string_equal(match(c, "10.7.1.129"), "10.7.1.128/25");
	assert_string_equal(match(c, "10.7.1.200"), "10.7.1.200");
	assert_string_equal(match(c, "10.8.0.1"), "stranger");
	assert_string_equal(match(c, "::ffff:10.7.1.200"), "10.7.1.200");
	assert_string_equal(match(c, "::ffff:10.8.1.200"), "stranger");
	assert_string_equal(match(c, "fd00:7:7fff::1"), "fd00:7::/33");
	assert_string_equal(match(c, "fd00:7:8000::1"), "stranger");
	assert_string_equal(match(c, "nothing"), "stranger");
	assert_null(config_peer_match(c, NULL));
	config_free(c);
	world_free(w);
}

static void test_finds(void **state)
{
	struct world *w = world_new();
	struct config *c = load_full(w);

	(void)state;
	assert_int_equal(config_zone_find(c, "yard"), 2);
	assert_int_equal(config_zone_find(c, "Yard"), -1);
	assert_int_equal(config_zone_find(c, NULL), -1);
	assert_int_equal(config_message_find(c, "o"), 2);
	assert_int_equal(config_input_find(c, "gate"), 3);
	assert_int_equal(config_output_find(c, "t"), 1);
	assert_int_equal(config_alarm_find(c, "a"), 0);
	assert_int_equal(config_extension_find(c, "*70#"), 0);
	assert_int_equal(config_extension_find(c, ""), -1);
	config_free(c);
	assert_null(config_free(NULL));
	world_free(w);
}

/** A music's own word counts, else the site's. */
static void music_under_a_page(void **state)
{
	static const char *const site[] = {"", "media { music = \"pause\" }\n",
					   "media { music = \"duck\" }\n"};
	(void)state;

	for (size_t i = 0; i < 3; i++) {
		struct world *w = world_new();
		char text[1024];
		struct config *c;

		snprintf(text, sizeof(text),
			 "state-dir = \"state\"\n%s"
			 "zone \"a\" { unicast \"127.0.0.1:5004\" {} }\n"
			 "music \"as\" { command = \"x\" zones = { \"a\" } }\n"
			 "music \"p\" { command = \"x\" zones = { \"a\" } "
			 "under-page = \"pause\" }\n"
			 "music \"d\" { command = \"x\" zones = { \"a\" } "
			 "under-page = \"duck\" }\n",
			 site[i]);
		c = world_load(w, text);
		assert_int_equal(c->musics[0].pause, i == 1);
		assert_true(c->musics[1].pause);
		assert_false(c->musics[2].pause);
		config_free(c);
		world_free(w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bench),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_dump),
		cmocka_unit_test(test_shipped),
		cmocka_unit_test(test_dropins),
		cmocka_unit_test(test_environment),
		cmocka_unit_test(test_levels),
		cmocka_unit_test(test_peers),
		cmocka_unit_test(test_finds),
		cmocka_unit_test(music_under_a_page),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
