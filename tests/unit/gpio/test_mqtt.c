/* mqtt.c against a real mosquitto on a loopback port of its own. */
#include "gpio/mqtt.h"

#include "controller/base/clock.h"
#include "controller/base/compat.h"
#include "gpio/mqtt_link.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <netdb.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* Generous: awaited, never slept. */
#define PATIENCE_MS 20000

/* ------------------------------------------------------------ broker */

static struct {
	char dir[64];
	uint16_t port;
	pid_t pid;
} broker, reserve; /* the second one in the first one's folder */

/* Below the ephemeral ports, so that nobody is given it while the broker is
 * down. */
static uint16_t free_port(uint16_t port)
{
	struct sockaddr_in sin = {.sin_family = AF_INET};
	int fd, err;

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	do {
		sin.sin_port = htons(++port);
		fd = socket(AF_INET, SOCK_STREAM, 0);
		err = bind(fd, (struct sockaddr *)&sin, sizeof(sin));
		close(fd);
	} while (err && port < 32000);
	assert_int_equal(err, 0);
	return port;
}

static void write_file(const char *name, const char *text)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", broker.dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void run(const char *cmd)
{
	char line[1024];

	snprintf(line, sizeof(line), "cd %s && { %s\n} >/dev/null 2>&1",
		 broker.dir, cmd);
	assert_int_equal(system(line), 0);
}

/* Loop until a TCP connection is taken: no output of its own says so. */
static bool answers(uint16_t port)
{
	struct sockaddr_in sin = {.sin_family = AF_INET,
				  .sin_port = htons(port)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	bool ok;

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ok = !connect(fd, (struct sockaddr *)&sin, sizeof(sin));
	close(fd);
	return ok;
}

static pid_t start(uint16_t port, const char *extra)
{
	uint64_t until = clock_mono_ms() + PATIENCE_MS;
	char conf[1024], path[128], name[32];
	pid_t pid;

	snprintf(conf, sizeof(conf), "listener %u 127.0.0.1\n%s\nuser root\n",
		 port, extra);
	snprintf(name, sizeof(name), "%u.conf", port);
	write_file(name, conf);
	snprintf(path, sizeof(path), "%s/%s", broker.dir, name);
	pid = fork();
	if (!pid) {
		int fd = open("/dev/null", O_RDWR);

		dup2(fd, 1);
		dup2(fd, 2);
		execlp("mosquitto", "mosquitto", "-c", path, NULL);
		execl("/usr/sbin/mosquitto", "mosquitto", "-c", path, NULL);
		_exit(127);
	}
	while (!answers(port)) {
		int status;

		if (waitpid(pid, &status, WNOHANG) == pid)
			fail_msg("mosquitto does not run: is Debian's "
				 "\"mosquitto\" installed?");
		assert_true(clock_mono_ms() < until);
		usleep(5000);
	}
	return pid;
}

static void broker_start(const char *extra)
{
	broker.pid = start(broker.port, extra);
}

static void stop(pid_t *pid)
{
	if (*pid) {
		kill(*pid, SIGKILL);
		waitpid(*pid, NULL, 0);
	}
	*pid = 0;
}

static void broker_stop(void)
{
	stop(&broker.pid);
}

static void broker_signal(int sig)
{
	kill(broker.pid, sig);
}

/* A name server that does not answer: instead of libc's, for this name. */
int getaddrinfo(const char *host, const char *service,
		const struct addrinfo *hints, struct addrinfo **all)
{
	static int (*real)(const char *, const char *, const struct addrinfo *,
			   struct addrinfo **);

	if (!strcmp(host, "hangs.invalid"))
		for (;;)
			pause();
	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
	return real(host, service, hints, all);
}

/* --------------------------------------------------------- our side */

struct seen {
	unsigned n, states, lost;
	bool connected, in_order;
	char text[256];
	enum mqtt_news news;
	unsigned broker, other;
	char other_text[256];
	char topic[64], payload[64];
	char all[4096]; /* payloads, one after the other */
	bool retain;
	uint64_t turns_at_first, turns_at_last;
	pthread_t thread;
};

static uint64_t turns; /* of a 1 ms timer in the loop */

static void message_handler(const struct mqtt_message *msg, void *arg)
{
	struct seen *s = arg;
	size_t len = strlen(s->all);

	assert_true(pthread_equal(pthread_self(), s->thread));
	assert_int_equal(strlen(msg->payload),
			 msg->len > MQTT_LARGEST_PAYLOAD ? 64 : msg->len);
	if (s->in_order && strcmp(msg->payload, "end"))
		s->in_order = strtoul(msg->payload, NULL, 10) == s->n + 1;
	if (!s->n++)
		s->turns_at_first = turns;
	s->turns_at_last = turns;
	s->retain = msg->retain;
	snprintf(s->topic, sizeof(s->topic), "%s", msg->topic);
	snprintf(s->payload, sizeof(s->payload), "%s", msg->payload);
	snprintf(s->all + len, sizeof(s->all) - len, "%s;", msg->payload);
}

static void state_handler(enum mqtt_news news, unsigned from, const char *text,
			  void *arg)
{
	struct seen *s = arg;

	assert_true(pthread_equal(pthread_self(), s->thread));
	if (getenv("VERBOSE"))
		fprintf(stderr, "news %d of %u: %s\n", (int)news, from, text);
	if (news == MQTT_OTHER) {
		s->other = from;
		snprintf(s->other_text, sizeof(s->other_text), "%s", text);
		return;
	}
	s->states++;
	s->lost += news == MQTT_AWAY;
	s->connected = news != MQTT_AWAY;
	s->news = news;
	if (news == MQTT_CONNECTED)
		s->broker = from;
	snprintf(s->text, sizeof(s->text), "%s", text);
}

static struct {
	bool (*cond)(void *arg);
	void *arg;
	uint64_t until;
	bool met;
	struct tmr tmr;
} waiting;

static void look(void *arg)
{
	(void)arg;
	turns++;
	waiting.met = waiting.cond(waiting.arg);
	if (waiting.met || clock_mono_ms() > waiting.until)
		re_cancel();
	else
		tmr_start(&waiting.tmr, 1, look, NULL);
}

static bool await_ms(bool (*cond)(void *arg), void *arg, unsigned ms)
{
	waiting.cond = cond;
	waiting.arg = arg;
	waiting.until = clock_mono_ms() + ms;
	waiting.met = false;
	tmr_start(&waiting.tmr, 0, look, NULL);
	re_main(NULL);
	tmr_cancel(&waiting.tmr);
	return waiting.met;
}

#define await(cond, arg) assert_true(await_ms(cond, arg, PATIENCE_MS))

static bool is_connected(void *arg)
{
	return ((struct seen *)arg)->connected;
}

static bool is_lost(void *arg)
{
	struct seen *s = arg;

	return s->states && !s->connected;
}

static bool has_message(void *arg)
{
	return ((struct seen *)arg)->n > 0;
}

static bool has_text(void *arg)
{
	return ((struct seen *)arg)->text[0];
}

static struct mqtt *open_as(struct seen *s, struct mqtt_spec spec)
{
	struct reason why = {""};
	struct mqtt *m = NULL;
	int err;

	s->thread = pthread_self();
	if (!spec.n_brokers)
		spec.n_brokers = 1;
	for (unsigned i = 0; i < spec.n_brokers; i++) {
		if (!spec.broker[i].host)
			spec.broker[i].host = "127.0.0.1";
		if (!spec.broker[i].port)
			spec.broker[i].port = broker.port;
	}
	err = mqtt_alloc(&m, &spec, message_handler, state_handler, s, &why);
	if (err)
		fail_msg("%s", why.text);
	return m;
}

#define connect_as(s, ...) open_as(s, (struct mqtt_spec){__VA_ARGS__})
#define ANONYMOUS "allow_anonymous true"

static int setup(void **state)
{
	(void)state;
	snprintf(broker.dir, sizeof(broker.dir), "/tmp/tocsin-mqtt-XXXXXX");
	assert_non_null(mkdtemp(broker.dir));
	broker.port = free_port((uint16_t)(20000 + getpid() % 10000));
	reserve.port = free_port(broker.port);
	return 0;
}

static int teardown(void **state)
{
	char cmd[128];

	(void)state;
	broker_stop();
	stop(&reserve.pid);
	snprintf(cmd, sizeof(cmd), "rm -rf %s", broker.dir);
	return system(cmd);
}

/* ------------------------------------------------------------- tests */

static void test_topics(void **state)
{
	static const struct {
		const char *filter, *topic;
		bool match;
	} rows[] = {
		/* MQTT v5 4.7.1.2 */
		{"sport/tennis/player1/#", "sport/tennis/player1", true},
		{"sport/tennis/player1/#", "sport/tennis/player1/ranking",
		 true},
		{"sport/#", "sport", true},
		{"#", "a/b", true},
		{"sport/tennis#", "sport/tennis", false},
		{"sport/#/ranking", "sport/x/ranking", false},
		/* 4.7.1.3 */
		{"sport/tennis/+", "sport/tennis/player1", true},
		{"sport/tennis/+", "sport/tennis/player1/ranking", false},
		{"sport/+", "sport", false},
		{"sport/+", "sport/", true},
		{"+/+", "/finance", true},
		{"/+", "/finance", true},
		{"+", "/finance", false},
		{"sport+", "sport+x", false},
		{"plant/gas/+/level", "plant/gas/7/level", true},
		/* 4.7.2 */
		{"#", "$SYS/uptime", false},
		{"+/uptime", "$SYS/uptime", false},
		{"$SYS/#", "$SYS/uptime", true},
		{"$SYS/+", "$SYS/uptime", true},
		/* 4.7.3 */
		{"ACCOUNTS", "Accounts", false},
		{"a/b", "a/b", true},
		{"a/b", "a/b/c", false},
		{"a", "a/+", false},
		{"", "a", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (mqtt_topic_match(rows[i].filter, rows[i].topic) !=
		    rows[i].match)
			fail_msg("%s %s", rows[i].filter, rows[i].topic);
	}
	assert_false(mqtt_topic_match(NULL, "a"));
}

static void test_retained_and_live(void **state)
{
	struct seen a = {0}, b = {0};
	struct mqtt *ma, *mb;

	(void)state;
	broker_start(ANONYMOUS);
	ma = connect_as(&a, .client_id = "a");
	assert_int_equal(mqtt_publish(ma, "t/old", "old", 1, true), 0);
	assert_int_equal(mqtt_subscribe(ma, "t/#"), 0);
	await(has_message, &a); /* our own: the broker has it */
	assert_true(mqtt_connected(ma));

	mb = connect_as(&b, .client_id = "b");
	assert_int_equal(mqtt_subscribe(mb, "t/+"), 0);
	await(has_message, &b);
	assert_string_equal(b.topic, "t/old");
	assert_true(b.retain);
	b.n = 0;
	assert_int_equal(mqtt_publish(ma, "t/new", "new", 1, true), 0);
	await(has_message, &b);
	assert_string_equal(b.payload, "new");
	assert_false(b.retain);

	assert_int_equal(mqtt_publish(ma, "t/+", "x", 1, false), EINVAL);
	assert_int_equal(mqtt_subscribe(ma, "t/#/x"), EINVAL);
	mqtt_free(ma);
	mqtt_free(mb);
}

static bool got_all_offline(void *arg)
{
	return strstr(((struct seen *)arg)->all, "\"last\":");
}

static void test_restart_restores(void **state)
{
	struct seen a = {0}, b = {0};
	struct mqtt *ma, *mb;
	struct mqtt_counters c;

	(void)state;
	broker_start(ANONYMOUS);
	ma = connect_as(&a, .client_id = "a");
	mb = connect_as(&b, .client_id = "b");
	mqtt_subscribe(ma, "in/#");
	await(is_connected, &a);
	await(is_connected, &b);
	broker_stop();
	await(is_lost, &a);
	await(is_lost, &b);
	assert_non_null(strstr(a.text, "127.0.0.1"));

	/* in order, retained ones merged to the latest; nothing else waits */
	mqtt_publish_event(mb, "in/1", "{\"id\":1}");
	mqtt_publish(mb, "in/state", "stale", 1, true);
	assert_int_equal(mqtt_publish(mb, "in/reply", "old", 1, false),
			 ENOTCONN);
	mqtt_publish_event(mb, "in/2", "{\"id\":2}");
	mqtt_publish(mb, "in/state", "fresh", 1, true);
	/* a listens before b speaks */
	mqtt_counters(mb, &c);
	assert_int_equal(c.kept, 2);
	broker_start(ANONYMOUS);
	await(is_connected, &a);
	await(is_connected, &b);
	mqtt_publish_event(mb, "in/3", "{\"last\":3}");
	await(got_all_offline, &a);
	assert_null(strstr(a.all, "stale"));
	assert_null(strstr(a.all, "old"));
	/* b may have been back before a: then a sees the retained one only */
	assert_non_null(strstr(a.all, "fresh;"));
	assert_null(strstr(a.all, "3,\"late"));
	mqtt_counters(mb, &c);
	assert_int_equal(c.late, 2);
	assert_int_equal(c.lost, 1);
	assert_int_equal(c.kept, 0);
	mqtt_free(ma);
	mqtt_free(mb);
}

/* Events of an outage come in their order and say that they are late; those of
 * before and after do not. */
static void test_events_of_an_outage(void **state)
{
	struct seen a = {0}, b = {0};
	struct mqtt *ma, *mb;

	(void)state;
	/* mb publishes while there is no broker; ma is there first: it can wait
	 * for the second, that mb goes to as well. */
	mb = connect_as(&b, .client_id = "b");
	await(is_lost, &b);
	mqtt_publish_event(mb, "ev", "{\"id\":1}");
	mqtt_publish_event(mb, "ev", "{\"id\":2}");
	mb = mqtt_free(mb);

	reserve.pid = start(reserve.port, ANONYMOUS);
	ma = connect_as(&a, .broker[0].port = reserve.port, .client_id = "a");
	mqtt_subscribe(ma, "ev");
	await(is_connected, &a);
	mqtt_publish(ma, "ev", "{}", 1, false);
	await(has_message, &a); /* the subscription stands */
	memset(&b, 0, sizeof(b));
	mb = connect_as(&b, .n_brokers = 2, .broker[1].port = reserve.port,
			.client_id = "b");
	mqtt_publish_event(mb, "ev", "{\"id\":3}");
	mqtt_publish_event(mb, "ev", "{\"id\":4}");
	await(is_connected, &b);
	assert_int_equal(b.broker, 1);
	mqtt_publish_event(mb, "ev", "{\"last\":5}");
	await(got_all_offline, &a);
	assert_string_equal(a.all, "{};{\"id\":3,\"late\":true};"
				   "{\"id\":4,\"late\":true};{\"last\":5};");
	mqtt_free(ma);
	mqtt_free(mb);
}

static bool at_the_reserve(void *arg)
{
	struct seen *s = arg;

	return s->connected && s->broker == 1;
}

static bool at_the_first(void *arg)
{
	struct seen *s = arg;

	return s->connected && s->broker == 0;
}

static bool other_is_well(void *arg)
{
	struct seen *s = arg;

	return s->other == 1 && !s->other_text[0];
}

static bool other_is_away(void *arg)
{
	struct seen *s = arg;

	return s->other == 1 && s->other_text[0];
}

/* To the reserve when the first is lost, back when it is there again, and the
 * reserve is watched meanwhile. */
static void test_fail_over_and_back(void **state)
{
	struct seen a = {.other = 9};
	struct mqtt *m;

	(void)state;
	broker_start(ANONYMOUS);
	reserve.pid = start(reserve.port, ANONYMOUS);
	m = connect_as(&a, .n_brokers = 2, .broker[1].port = reserve.port,
		       .probe_s = 1, .client_id = "a");
	await(at_the_first, &a);
	await(other_is_well, &a);
	stop(&reserve.pid);
	await(other_is_away, &a);
	assert_non_null(strstr(a.other_text, "refused"));
	reserve.pid = start(reserve.port, ANONYMOUS);
	await(other_is_well, &a);

	broker_stop();
	await(at_the_reserve, &a);
	assert_int_equal(a.lost, 1);
	mqtt_subscribe(m, "t");
	a.n = 0;
	mqtt_publish(m, "t", "here", 1, false);
	await(has_message, &a);

	broker_start(ANONYMOUS);
	await(at_the_first, &a);
	/* going back is no loss */
	assert_int_equal(a.lost, 1);
	a.n = 0;
	mqtt_publish(m, "t", "there", 1, false);
	await(has_message, &a);
	assert_string_equal(a.payload, "there");
	mqtt_free(m);
}

/* The first takes the connection but not us: that is told, and the reserve
 * serves. */
static void test_first_refuses(void **state)
{
	struct seen a = {0};
	struct mqtt *m;

	(void)state;
	broker_start("allow_anonymous false");
	reserve.pid = start(reserve.port, ANONYMOUS);
	m = connect_as(&a, .n_brokers = 2, .broker[1].port = reserve.port,
		       .probe_s = 1, .client_id = "a");
	await(at_the_reserve, &a);
	assert_int_equal(a.other, 0);
	assert_non_null(strstr(a.other_text, "without a password"));
	/* It is tried again when it answers, with growing pauses. */
	a.connected = false;
	await(at_the_reserve, &a);
	stop(&reserve.pid);
	await(is_lost, &a);
	mqtt_free(m);
}

/* A name server that never answers: said within seconds, and the reserve is
 * not kept waiting. */
static void test_name_server_hangs(void **state)
{
	struct seen a = {0}, b = {0};
	struct mqtt *m;

	(void)state;
	m = connect_as(&a, .broker[0].host = "hangs.invalid", .client_id = "a");
	await(is_lost, &a);
	assert_non_null(strstr(a.text, "name server gives no answer"));
	m = mqtt_free(m); /* at once */

	broker_start(ANONYMOUS);
	m = connect_as(&b, .n_brokers = 2, .broker[0].host = "hangs.invalid",
		       .broker[1].port = broker.port, .probe_s = 1,
		       .client_id = "b");
	await(at_the_reserve, &b);
	assert_non_null(strstr(b.other_text, "name server gives no answer"));
	mqtt_free(m);
}

static bool one_is_confirmed(void *arg)
{
	struct mqtt_counters c;

	mqtt_counters(arg, &c);
	return c.published == 1;
}

/* Handed to the broker, not confirmed: it goes again. */
static void test_unconfirmed_goes_again(void **state)
{
	struct seen a = {0}, b = {0};
	struct mqtt *ma, *mb;

	(void)state;
	broker_start(ANONYMOUS);
	mb = connect_as(&b, .client_id = "b");
	mqtt_subscribe(mb, "probe");
	await(is_connected, &b);
	mqtt_publish(mb, "probe", "x", 1, false);
	await(has_message, &b);
	/* the broker may pass it on before it confirms it */
	await(one_is_confirmed, mb);
	broker_signal(SIGSTOP);
	mqtt_publish(mb, "kept", "yes", 1, true);
	assert_true(one_is_confirmed(mb));
	broker_stop();
	await(is_lost, &b);
	broker_start(ANONYMOUS);
	await(is_connected, &b);
	ma = connect_as(&a, .client_id = "a");
	mqtt_subscribe(ma, "kept");
	await(has_message, &a);
	assert_string_equal(a.payload, "yes");
	mqtt_free(ma);
	mqtt_free(mb);
}

static void test_outage_command_is_not_played(void **state)
{
	struct seen a = {0}, b = {0};
	struct mqtt *ma, *mb;

	(void)state;
	broker_start(ANONYMOUS);
	ma = connect_as(&a, .client_id = "same");
	mqtt_subscribe(ma, "cmd");
	mqtt_subscribe(ma, "sync");
	await(is_connected, &a);
	ma = mqtt_free(ma);
	mb = connect_as(&b, .client_id = "b");
	mqtt_subscribe(mb, "cmd");
	await(is_connected, &b);
	mqtt_publish(mb, "cmd", "while away", 1, false);
	await(has_message, &b);

	memset(&a, 0, sizeof(a));
	ma = connect_as(&a, .client_id = "same");
	mqtt_subscribe(ma, "cmd");
	mqtt_subscribe(ma, "sync");
	await(is_connected, &a);
	mqtt_publish(ma, "sync", "now", 1, false);
	await(has_message, &a);
	assert_string_equal(a.all, "now;");
	mqtt_free(ma);
	mqtt_free(mb);
}

static void test_offline_queue_bounded(void **state)
{
	struct seen a = {0};
	struct mqtt *m = connect_as(&a, .client_id = "a");
	struct mqtt_counters c;
	char topic[32], *big = malloc(60001);

	(void)state;
	for (int i = 0; i < MQTT_KEPT; i++) {
		snprintf(topic, sizeof(topic), "q/%d", i);
		assert_int_equal(mqtt_publish_event(m, "e", "{\"id\":1}"), 0);
		assert_int_equal(mqtt_publish(m, topic, "x", 1, true), 0);
	}
	assert_int_equal(mqtt_publish(m, "q/1", "merged", 1, true), 0);
	assert_int_equal(mqtt_publish_event(m, "e", "{\"id\":2}"), ENOBUFS);
	assert_int_equal(mqtt_publish_event(m, "e", "no object"), EINVAL);
	mqtt_counters(m, &c);
	assert_int_equal(c.lost, 1);
	assert_int_equal(c.kept, MQTT_KEPT);
	/* states push no event out, and bytes count as well */
	memset(big, ' ', 60000);
	big[0] = '{';
	big[59999] = '}';
	big[60000] = '\0';
	for (int i = 0; i < MQTT_KEPT_BYTES / 60000 + 10; i++)
		assert_int_equal(mqtt_publish_event(m, "e", big), ENOBUFS);
	mqtt_counters(m, &c);
	assert_true(c.kept <= MQTT_KEPT_BYTES / 60000 + 1);
	free(big);
	mqtt_free(m);
}

static void test_broker_later(void **state)
{
	struct seen a = {0};
	struct mqtt *m;

	(void)state;
	m = connect_as(&a, .client_id = "a");
	await(has_text, &a);
	assert_false(a.connected);
	assert_non_null(strstr(a.text, "refused"));
	assert_non_null(strstr(a.text, "does not run there"));
	broker_start(ANONYMOUS);
	await(is_connected, &a);
	mqtt_free(m);
}

static void test_password(void **state)
{
	struct seen a = {0}, b = {0};
	char path[128];
	struct mqtt *m;

	(void)state;
	run("umask 077; : > pw; mosquitto_passwd -b pw tocsin right");
	snprintf(path, sizeof(path),
		 "allow_anonymous false\npassword_file %s/pw", broker.dir);
	broker_start(path);
	write_file("secret", "wrong\n");
	snprintf(path, sizeof(path), "%s/secret", broker.dir);
	m = connect_as(&a, .client_id = "a", .user = "tocsin",
		       .password_file = path);
	await(has_text, &a);
	assert_false(a.connected);
	assert_non_null(strstr(a.text, "wrong password"));
	assert_non_null(strstr(a.text, "\"tocsin\""));
	assert_non_null(strstr(a.text, "password-file"));
	assert_null(strstr(a.text, "right"));

	/* put right, it connects by itself */
	write_file("secret", "right\n");
	await(is_connected, &a);
	m = mqtt_free(m);

	m = connect_as(&b, .client_id = "b");
	await(has_text, &b);
	assert_non_null(strstr(b.text, "without a password"));
	mqtt_free(m);
}

static void test_acl_is_told(void **state)
{
	struct seen a = {0};
	char conf[256];
	struct mqtt *m;

	(void)state;
	write_file("acl", "topic read in/#\ntopic write out/#\n");
	snprintf(conf, sizeof(conf), ANONYMOUS "\nacl_file %s/acl", broker.dir);
	broker_start(conf);
	m = connect_as(&a, .client_id = "a");
	mqtt_publish(m, "forbidden", "x", 1, true);
	await(has_text, &a);
	assert_true(a.connected);
	assert_int_equal(a.news, MQTT_NO_WRITE);
	assert_non_null(strstr(a.text, "\"forbidden\""));
	assert_non_null(strstr(a.text, "write access"));
	mqtt_free(m);
}

static void test_unresolvable_and_bad_files(void **state)
{
	struct seen a = {0};
	struct mqtt_spec spec = {.broker[0].host = "127.0.0.1",
				 .n_brokers = 1,
				 .client_id = "a"};
	struct reason why;
	struct mqtt *m;

	(void)state;
	m = connect_as(&a, .broker[0].host = "no-such-host.invalid",
		       .client_id = "a");
	await(has_text, &a);
	assert_non_null(strstr(a.text, "cannot be resolved"));
	mqtt_free(m);

	spec.user = "u";
	spec.password_file = "/nowhere/secret";
	assert_int_equal(
		mqtt_alloc(&m, &spec, message_handler, state_handler, &a, &why),
		EINVAL);
	assert_non_null(strstr(why.text, "/nowhere/secret"));
	spec.password_file = NULL;
	spec.broker[0].tls = true;
	spec.ca = "/nowhere/ca.pem";
	assert_int_equal(
		mqtt_alloc(&m, &spec, message_handler, state_handler, &a, &why),
		EINVAL);
	assert_non_null(strstr(why.text, "/nowhere/ca.pem"));
	spec.ca = NULL;
	spec.broker[0].host = "";
	assert_int_equal(
		mqtt_alloc(&m, &spec, message_handler, state_handler, &a, &why),
		EINVAL);
}

static void test_tls(void **state)
{
	struct seen a = {0}, b = {0}, c = {0}, d = {0};
	char ca[128], other[128], conf[512];
	struct mqtt *m;

	(void)state;
	run("for n in ca other; do openssl req -x509 -newkey ec -pkeyopt "
	    "ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=$n -keyout "
	    "$n.key -out $n.pem; done; openssl req -newkey ec -pkeyopt "
	    "ec_paramgen_curve:P-256 -nodes -subj /CN=broker -keyout s.key "
	    "-out s.csr; echo subjectAltName=IP:127.0.0.1 > ext; openssl x509 "
	    "-req -in s.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 "
	    "-extfile ext -out s.pem");
	snprintf(ca, sizeof(ca), "%s/ca.pem", broker.dir);
	snprintf(other, sizeof(other), "%s/other.pem", broker.dir);
	snprintf(conf, sizeof(conf),
		 ANONYMOUS "\ncertfile %s/s.pem\nkeyfile %s/s.key", broker.dir,
		 broker.dir);
	/* refused TCP with TLS is told at once, not at the keep-alive */
	m = connect_as(&a, .client_id = "a", .broker[0].tls = true, .ca = ca);
	await(has_text, &a);
	assert_non_null(strstr(a.text, "refused"));
	broker_start(conf);
	await(is_connected, &a);
	mqtt_subscribe(m, "t");
	mqtt_publish(m, "t", "hello", 1, false);
	await(has_message, &a);
	assert_string_equal(a.payload, "hello");
	m = mqtt_free(m);

	m = connect_as(&b, .client_id = "b", .broker[0].tls = true,
		       .ca = other);
	await(has_text, &b);
	assert_non_null(strstr(b.text, "certificate is not trusted"));
	assert_non_null(strstr(b.text, "CN=broker"));
	m = mqtt_free(m);

	m = connect_as(&c, .client_id = "c", .broker[0].tls = true, .ca = ca,
		       .broker[0].host = "localhost");
	await(has_text, &c);
	assert_non_null(strstr(c.text, "ostname mismatch"));
	m = mqtt_free(m);

	/* plain towards a TLS port */
	m = connect_as(&d, .client_id = "d");
	await(has_text, &d);
	assert_non_null(strstr(d.text, "closed the connection before"));
	mqtt_free(m);
}

static void test_will_and_birth(void **state)
{
	struct seen a = {0}, b = {0};
	struct mqtt *watch, *m;
	int fds[2];
	pid_t pid;
	char c;

	(void)state;
	broker_start(ANONYMOUS);
	watch = connect_as(&a, .client_id = "watch");
	mqtt_subscribe(watch, "site/status");
	await(is_connected, &a);

	/* a stop: birth, then the will by the broker's hand */
	m = connect_as(&b, .client_id = "m", .will_topic = "site/status",
		       .will_payload = "offline", .birth_payload = "online");
	await(has_message, &a);
	assert_string_equal(a.all, "online;");
	a.n = 0;
	mqtt_free(m);
	await(has_message, &a);
	assert_string_equal(a.all, "online;offline;");

	/* a crash: another process, killed */
	a.n = 0;
	a.all[0] = '\0';
	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (!pid) {
		struct mosquitto *mosq = mosquitto_new("killed", true, NULL);

		mosquitto_will_set(mosq, "site/status", 7, "offline", 1, true);
		mosquitto_connect(mosq, "127.0.0.1", broker.port, 15);
		mosquitto_publish(mosq, NULL, "site/status", 6, "online", 1,
				  true);
		(void)!write(fds[1], "x", 1);
		for (;;)
			mosquitto_loop(mosq, 1000, 1);
	}
	assert_int_equal(read(fds[0], &c, 1), 1);
	await(has_message, &a);
	a.n = 0;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(fds[0]);
	close(fds[1]);
	await(has_message, &a);
	assert_string_equal(a.all, "online;offline;");
	mqtt_free(watch);
}

static void test_half_open(void **state)
{
	struct seen a = {0};
	struct mqtt *m;

	(void)state;
	broker_start(ANONYMOUS);
	/* 5 s is the shortest keep-alive libmosquitto takes */
	m = connect_as(&a, .client_id = "a", .keepalive_s = 5);
	await(is_connected, &a);
	broker_signal(SIGSTOP); /* the kernel still takes our bytes */
	await(is_lost, &a);
	assert_non_null(strstr(a.text, "keep-alive"));
	broker_signal(SIGCONT);
	await(is_connected, &a);
	mqtt_free(m);
}

static bool flood_over(void *arg)
{
	struct seen *s = arg;

	return strstr(s->payload, "end") != NULL;
}

#define FLOOD 20000

/* A flood while the loop is away: no more than the queue is taken from the
 * broker, nothing is lost, all comes in its order, and the loop's timers run
 * between the batches. */
static void test_flood(void **state)
{
	struct seen a = {0};
	struct mqtt_counters c = {0};
	uint64_t until = clock_mono_ms() + PATIENCE_MS;
	char cmd[256];
	struct mqtt *m;

	(void)state;
	broker_start(ANONYMOUS "\nmax_queued_messages 0");
	m = connect_as(&a, .client_id = "a");
	mqtt_subscribe(m, "flood/#");
	await(is_connected, &a);
	mqtt_publish(m, "flood/x", "0", 1, false);
	await(has_message, &a);
	a.n = 0;
	a.in_order = true;

	/* our loop does not turn meanwhile */
	snprintf(cmd, sizeof(cmd),
		 "seq %d | mosquitto_pub -p %u -q 1 -t flood/x -l", FLOOD,
		 broker.port);
	run(cmd);
	while (c.most_waiting < MQTT_QUEUE && clock_mono_ms() < until) {
		mqtt_counters(m, &c);
		usleep(2000);
	}
	snprintf(cmd, sizeof(cmd), "mosquitto_pub -p %u -q 1 -t flood/x -m end",
		 broker.port);
	run(cmd);
	await(flood_over, &a);
	mqtt_counters(m, &c);
	assert_int_equal(c.most_waiting, MQTT_QUEUE);
	assert_int_equal(a.n, FLOOD + 1);
	assert_true(a.in_order);
	assert_true(a.turns_at_last - a.turns_at_first >= FLOOD / 64 / 2);
	mqtt_free(m);
}

static bool got_ok(void *arg)
{
	return !strcmp(((struct seen *)arg)->payload, "ok");
}

static void test_too_large(void **state)
{
	struct seen a = {0};
	struct mqtt_counters c = {0};
	char cmd[256];
	struct mqtt *m;

	(void)state;
	broker_start(ANONYMOUS);
	m = connect_as(&a, .client_id = "a");
	mqtt_subscribe(m, "big");
	await(is_connected, &a);
	mqtt_publish(m, "big", "probe", 1, false);
	await(has_message, &a);
	snprintf(cmd, sizeof(cmd),
		 "head -c 65537 /dev/zero | tr '\\0' x > f; mosquitto_pub -p "
		 "%u -q 1 -t big -f f; mosquitto_pub -p %u -q 1 -t big -m ok",
		 broker.port, broker.port);
	a.all[0] = '\0';
	run(cmd);
	await(got_ok, &a);
	/* the one before came as well, cut */
	assert_memory_equal(a.all, "xxxx", 4);
	assert_string_equal(a.payload, "ok");
	mqtt_counters(m, &c);
	assert_int_equal(c.cut, 1);
	mqtt_free(m);
}

static void free_in_handler(const struct mqtt_message *msg, void *arg)
{
	struct mqtt **mp = arg;

	(void)msg;
	*mp = mqtt_free(*mp);
}

static void ignore_state(enum mqtt_news news, unsigned from, const char *text,
			 void *arg)
{
	(void)news;
	(void)from;
	(void)text;
	(void)arg;
}

static bool is_freed(void *arg)
{
	return !*(struct mqtt **)arg;
}

static void test_free_in_handler(void **state)
{
	struct mqtt_spec spec = {.broker[0].host = "127.0.0.1",
				 .n_brokers = 1,
				 .client_id = "a"};
	struct mqtt *m;

	(void)state;
	broker_start(ANONYMOUS);
	spec.broker[0].port = broker.port;
	assert_int_equal(
		mqtt_alloc(&m, &spec, free_in_handler, ignore_state, &m, NULL),
		0);
	mqtt_subscribe(m, "t");
	mqtt_publish(m, "t", "1", 1, true);
	mqtt_publish_event(m, "t", "{\"id\":2}");
	await(is_freed, &m);
}

/* The texts nobody can provoke on loopback. */
static void test_texts(void **state)
{
	char host[] = "fe80::1", id[] = "tocsin-1";
	struct mqtt_own_spec s = {.broker[0] = {.host = host, .port = 1883},
				  .n_brokers = 1,
				  .client_id = id,
				  .keepalive_s = 15};
	struct reason r;

	(void)state;
	mqtt_text_unreached(&r, &s.broker[0], EHOSTUNREACH);
	assert_non_null(strstr(r.text, "mqtt://[fe80::1]:1883: no route"));
	mqtt_text_unreached(&r, &s.broker[0], ETIMEDOUT);
	assert_non_null(strstr(r.text, "firewall"));
	mqtt_text_lost(&r, &s, 0, MOSQ_ERR_KEEPALIVE, 0, true, "");
	assert_non_null(strstr(r.text, "keep-alive"));
	mqtt_text_lost(&r, &s, 0, MQTT_RC_SESSION_TAKEN_OVER, 0, true, "");
	assert_non_null(strstr(r.text, "\"tocsin-1\""));
	mqtt_text_lost(&r, &s, 0, MOSQ_ERR_ERRNO, ETIMEDOUT, true, "");
	assert_non_null(strstr(r.text, "connection lost"));
	mqtt_text_connack(&r, &s, 0, MQTT_RC_UNSUPPORTED_PROTOCOL_VERSION);
	assert_non_null(strstr(r.text, "version 5"));
	mqtt_text_connack(&r, &s, 0, MQTT_RC_SERVER_BUSY);
	assert_non_null(strstr(r.text, "refused"));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_topics),
		cmocka_unit_test(test_texts),
		T(test_retained_and_live),
		T(test_restart_restores),
		T(test_events_of_an_outage),
		T(test_fail_over_and_back),
		T(test_first_refuses),
		T(test_name_server_hangs),
		T(test_unconfirmed_goes_again),
		T(test_outage_command_is_not_played),
		T(test_offline_queue_bounded),
		T(test_broker_later),
		T(test_password),
		T(test_acl_is_told),
		T(test_unresolvable_and_bad_files),
		T(test_tls),
		T(test_will_and_birth),
		T(test_half_open),
		T(test_flood),
		T(test_too_large),
		T(test_free_in_handler),
	};
	int err;

	if (libre_init())
		return 1;
	err = cmocka_run_group_tests(tests, NULL, NULL);
	libre_close();
	return err;
}
