/* Who comes in over TCP: HTTP Basic, roles, guesses, TLS. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "web_util.h"

#include <crypt.h>
#include <curl/curl.h>
#include <openssl/evp.h>

static char hashes[4][256];
static const int some_zones[] = {3, 5};

/** shift (operator, zones 3 and 5), boss (admin), eye (viewer) with their own
 *  names as passwords; slow's takes about a second to hash. */
static struct web_user users[4];

static void make_users(void)
{
	static const struct {
		const char *name, *setting;
		enum web_role role;
	} u[] = {
		{"shift", "$6$rounds=1000$aaaaaaaa$", WEB_OPERATOR},
		{"boss", "$6$rounds=1000$bbbbbbbb$", WEB_ADMIN},
		{"eye", "$6$rounds=1000$cccccccc$", WEB_VIEWER},
		{"slow", "$6$rounds=1000000$dddddddd$", WEB_ADMIN},
	};

	for (size_t i = 0; i < 4; i++) {
		const char *h = crypt(u[i].name, u[i].setting);

		CHECK(h && *h == '$');
		snprintf(hashes[i], sizeof(hashes[i]), "%s", h);
		users[i] = (struct web_user){.name = u[i].name,
					     .password_hash = hashes[i],
					     .role = u[i].role};
	}
	users[0].zones = some_zones;
	users[0].n_zones = 2;
}

/** "Authorization: Basic ..." for these credentials. */
static const char *login(char buf[512], const char *credentials, size_t n)
{
	unsigned char b64[400];

	EVP_EncodeBlock(b64, (const unsigned char *)credentials, (int)n);
	snprintf(buf, 512, "Authorization: Basic %s\r\n", (char *)b64);
	return buf;
}

static void ask_as(const struct env *e, struct reply *r, const char *method,
		   const char *path, const char *credentials)
{
	char auth[512];
	int s = dial_tcp(e);

	ask(s, r, method, path, login(auth, credentials, strlen(credentials)),
	    NULL);
	close(s);
}

static void serve_users(size_t n, void (*client)(struct env *e))
{
	struct env e;
	struct reason why;

	env_init(&e, true);
	e.opt.users = users;
	e.opt.n_users = n;
	assert_int_equal(env_start(&e, &why), 0);
	env_run(&e, client);
	env_end(&e);
}

static bool refused(const struct reply *r)
{
	return is_error(r, 401, "unauthorised") &&
	       strstr(r->head, "WWW-Authenticate: Basic realm=\"tocsin\"") &&
	       !strstr(r->body, "field");
}

static void in_and_out(struct env *e)
{
	char auth[512];
	struct reply r;
	int s;

	ask_as(e, &r, "POST", "/api/v1/x", "shift:shift");
	CHECK(r.status == 200 && has(&r, "actor", "user:shift"));
	CHECK(has(&r, "from", "127.0.0.1"));
	CHECK(strstr(r.body, "\"role\":1,\"n_zones\":2"));
	/* Remembered, on one connection. */
	s = dial_tcp(e);
	for (int i = 0; i < 20; i++) {
		ask(s, &r, "POST", "/api/v1/x", login(auth, "boss:boss", 9),
		    "{\"a\":1}");
		CHECK(r.status == 200 && has(&r, "actor", "user:boss"));
		CHECK(strstr(r.body, "{\"a\":1}"));
	}
	close(s);
	/* Someone who may look. */
	ask_as(e, &r, "GET", "/api/v1/x", "eye:eye");
	CHECK(r.status == 200 && strstr(r.body, "\"role\":0"));
	ask_as(e, &r, "POST", "/api/v1/x", "eye:eye");
	CHECK(is_error(&r, 403, "forbidden"));
	ask_as(e, &r, "DELETE", "/api/v1/x", "eye:eye");
	CHECK(is_error(&r, 403, "forbidden"));
	ask_as(e, &r, "GET", "/metrics", "eye:eye");
	CHECK(r.status == 200);
	/* Nothing is said to anybody else, not even what is there. */
	s = dial_tcp(e);
	ask(s, &r, "GET", "/metrics", "", NULL);
	CHECK(refused(&r));
	ask(s, &r, "GET", "/nowhere", "", NULL);
	CHECK(refused(&r));
	ask(s, &r, "GET", "/api/v1/../x", "", NULL);
	CHECK(refused(&r));
	ask(s, &r, "GET", "/api/v1/events", "", NULL);
	CHECK(refused(&r));
	ask(s, &r, "GET", "/api/v1/x", "Authorization: Bearer abc\r\n", NULL);
	CHECK(is_error(&r, 401, "unauthorised"));
	ask(s, &r, "GET", "/healthz", "", NULL);
	CHECK(r.status == 200);
	close(s);
}

static void test_in_and_out(void **state)
{
	(void)state;
	serve_users(3, in_and_out);
}

/* ----------------------------------------------------------------- tokens */

/** sha256sum of "tocsin_1" and "tocsin_2". */
static const struct web_user machines[] = {
	{.name = "scada",
	 .token = true,
	 .password_hash = "sha256:"
			  "5e5d877d310de81fe9646557c7662c93e0158e3d477e450733e0"
			  "77fc1dbb448c",
	 .scopes = SCOPE_PAGE | SCOPE_METRICS,
	 .zones = some_zones,
	 .n_zones = 2},
	{.name = "old",
	 .token = true,
	 .password_hash = "sha256:"
			  "f5a3ceccba4acbfe1ba559bd2bd1cb4afc7f62361125fab20714"
			  "4ee7a8eb195d",
	 .scopes = SCOPES_ADMIN,
	 .expires_s = 1000},
};

static _Atomic unsigned n_refusals;
static char refusal[400];

static void on_refused(const char *actor, const char *why, void *arg)
{
	(void)arg;
	snprintf(refusal, sizeof(refusal), "%s: %s", actor, why);
	n_refusals++;
}

static int ask_token(const struct env *e, struct reply *r, const char *method,
		     const char *path, const char *token)
{
	char auth[200];
	int s = dial_tcp(e);

	snprintf(auth, sizeof(auth), "Authorization: Bearer %s\r\n", token);
	ask(s, r, method, path, auth, NULL);
	close(s);
	return r->status;
}

static void by_token(struct env *e)
{
	struct web_token_use use;
	struct reply r;

	/* What it may, and what it may not is named. */
	CHECK(ask_token(e, &r, "POST", "/api/v1/broadcasts", "tocsin_1") ==
	      200);
	CHECK(has(&r, "actor", "token:scada"));
	CHECK(strstr(r.body, "\"role\":1,\"n_zones\":2"));
	CHECK(ask_token(e, &r, "GET", "/metrics", "tocsin_1") == 200);
	CHECK(ask_token(e, &r, "GET", "/api/v1/session", "tocsin_1") == 200);
	CHECK(!n_refusals);
	CHECK(ask_token(e, &r, "GET", "/api/v1/status", "tocsin_1") == 403);
	CHECK(strstr(r.body, "scope view, but: metrics, page"));
	AWAIT(n_refusals == 1);
	CHECK(!strcmp(refusal,
		      "token:scada: GET /status refused: it needs the scope "
		      "view"));
	CHECK(ask_token(e, &r, "GET", "/api/v1/events", "tocsin_1") == 403);
	CHECK(ask_token(e, &r, "GET", "/api/v1/journal", "tocsin_1") == 403);
	CHECK(ask_token(e, &r, "POST", "/api/v1/reload", "tocsin_1") == 403);
	CHECK(ask_token(e, &r, "DELETE", "/api/v1/messages/x", "tocsin_1") ==
	      403);
	web_token_used(e->web, "scada", &use);
	CHECK(use.at_us && !strcmp(use.from, "127.0.0.1"));
	/* Expired and wrong ones: five tries, then none; no lock for right
	 * ones. */
	AWAIT(n_refusals >= 4);
	n_refusals = 0;
	CHECK(ask_token(e, &r, "GET", "/metrics", "tocsin_2") == 401);
	CHECK(strstr(r.head, "Bearer realm=\"tocsin\", "
			     "error=\"invalid_token\""));
	AWAIT(n_refusals == 1);
	CHECK(!strcmp(refusal, "token:old: expired token from 127.0.0.1"));
	CHECK(ask_token(e, &r, "GET", "/metrics", "") == 401);
	CHECK(ask_token(e, &r, "GET", "/metrics", "tocsin_3") == 401);
	AWAIT(n_refusals >= 2);
	CHECK(!strcmp(refusal, "token:?: wrong token from 127.0.0.1"));
	for (int i = 0; i < 20 && r.status == 401; i++)
		ask_token(e, &r, "GET", "/metrics", "tocsin_3");
	CHECK(is_error(&r, 429, "too-many-tries"));
	CHECK(ask_token(e, &r, "GET", "/metrics", "tocsin_1") == 200);
	/* A hash is no token, and a token is no password. */
	ask_token(e, &r, "GET", "/metrics", machines[0].password_hash);
	CHECK(r.status == 429 || r.status == 401);
	ask_as(e, &r, "GET", "/api/v1/x", "scada:tocsin_1");
	CHECK(r.status == 401);
	/* Revoked. */
	CHECK(!web_set_users(e->web, machines + 1, 1));
	CHECK(ask_token(e, &r, "GET", "/metrics", "tocsin_1") >= 401);
}

static void test_tokens(void **state)
{
	struct env e;
	struct reason why;

	(void)state;
	env_init(&e, true);
	e.opt.users = machines;
	e.opt.n_users = 2;
	e.refused = on_refused;
	assert_int_equal(env_start(&e, &why), 0);
	env_run(&e, by_token);
	env_end(&e);
}

static void no_users(struct env *e)
{
	struct reply r;

	ask_as(e, &r, "GET", "/api/v1/x", "a:b");
	CHECK(refused(&r));
	ask_as(e, &r, "GET", "/healthz", "a:b");
	CHECK(r.status == 200);
	CHECK(e->handled == 1);
}

static void test_nobody_without_users(void **state)
{
	(void)state;
	serve_users(0, no_users);
}

static void bad_logins(struct env *e)
{
	static const char *const bad[] = {
		"",           "shift",       "shift:",      ":shift",
		"shift:boss", "nobody:boss", "SHIFT:shift",
	};
	char auth[512], longer[300];
	struct reply r;
	int s;

	s = dial_tcp(e);
	/* Not compared up to its NUL. */
	ask(s, &r, "GET", "/api/v1/x", login(auth, "boss:boss\0x", 11), NULL);
	CHECK(refused(&r));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ask_as(e, &r, "GET", "/api/v1/x", bad[i]);
		CHECK(r.status == 429 || refused(&r));
	}
	ask(s, &r, "GET", "/api/v1/x", "Authorization: Basic !!!!\r\n", NULL);
	CHECK(r.status == 429 || refused(&r));
	memset(longer, 'a', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	longer[4] = ':';
	ask(s, &r, "GET", "/api/v1/x", login(auth, longer, 270), NULL);
	CHECK(r.status == 429 || refused(&r));
	close(s);
	CHECK(!e->handled);
}

static void test_bad_logins(void **state)
{
	(void)state;
	serve_users(3, bad_logins);
}

static void guesses(struct env *e)
{
	struct reply r;
	int wrong = 0;

	ask_as(e, &r, "GET", "/api/v1/x", "boss:boss");
	CHECK(r.status == 200);
	do {
		ask_as(e, &r, "GET", "/api/v1/x", "shift:guess");
		CHECK(r.status == 429 || refused(&r));
		CHECK(++wrong < 100);
	} while (r.status != 429);
	CHECK(is_error(&r, 429, "too-many-tries"));
	CHECK(strstr(r.head, "Retry-After: "));
	CHECK(wrong >= 5);
	/* Nor is the right one tried now. */
	ask_as(e, &r, "GET", "/api/v1/x", "shift:shift");
	CHECK(r.status == 429);
	/* Who was in stays in; the Unix socket is not concerned. */
	ask_as(e, &r, "GET", "/api/v1/x", "boss:boss");
	CHECK(r.status == 200);
	ask_once(e, &r, "GET", "/api/v1/x", "", NULL);
	CHECK(r.status == 200);
}

static void test_guesses_are_counted(void **state)
{
	(void)state;
	serve_users(3, guesses);
}

static void right_ones(struct env *e)
{
	char name[16], auth[512];
	struct reply r;
	int s = dial_tcp(e);

	/* A right password uses up no try. */
	for (int i = 0; i < 3; i++)
		for (int k = 0; k < 3; k++) {
			snprintf(name, sizeof(name), "%s:%s", users[k].name,
				 users[k].name);
			web_set_users(e->web, users, 3);
			ask(s, &r, "GET", "/api/v1/x",
			    login(auth, name, strlen(name)), NULL);
			CHECK(r.status == 200);
		}
	close(s);
}

static void test_right_passwords_are_not_counted(void **state)
{
	(void)state;
	serve_users(3, right_ones);
}

static void new_users(struct env *e)
{
	struct web_user changed = users[0];
	struct reply r;

	ask_as(e, &r, "GET", "/api/v1/x", "shift:shift");
	CHECK(r.status == 200);
	changed.password_hash = users[1].password_hash;
	web_set_users(e->web, &changed, 1);
	/* What is remembered is forgotten. */
	ask_as(e, &r, "GET", "/api/v1/x", "shift:shift");
	CHECK(refused(&r));
	ask_as(e, &r, "GET", "/api/v1/x", "shift:boss");
	CHECK(r.status == 200);
	ask_as(e, &r, "GET", "/api/v1/x", "boss:boss");
	CHECK(refused(&r));
}

static void test_users_after_a_reload(void **state)
{
	(void)state;
	serve_users(3, new_users);
}

static void slow_hash(struct env *e)
{
	char auth[512], text[1024];
	int s = dial_tcp(e), other = dial_tcp(e), body = dial_tcp(e);
	struct reply r;

	snprintf(text, sizeof(text),
		 "GET /api/v1/x HTTP/1.1\r\nHost: h\r\n%s\r\n",
		 login(auth, "slow:slow", 9));
	CHECK(say(s, text));
	for (int i = 0; i < 5; i++) {
		ask(other, &r, "GET", "/healthz", "", NULL);
		CHECK(r.status == 200);
	}
	CHECK(silent(s)); /* still at it: the others did not wait */
	/* A body that comes while the password is looked at is not lost. */
	snprintf(text, sizeof(text),
		 "POST /api/v1/x HTTP/1.1\r\nHost: h\r\n%sContent-Type: "
		 "application/json\r\nContent-Length: 7\r\n\r\n",
		 login(auth, "slow:slow", 9));
	CHECK(say(body, text) && say(body, "{\"b\":2}"));
	hear(s, &r, false);
	CHECK(r.status == 200 && has(&r, "actor", "user:slow"));
	hear(body, &r, false);
	CHECK(r.status == 200 && strstr(r.body, "{\"b\":2}"));
	/* A wrong one's body is refused as well. */
	ask(body, &r, "POST", "/api/v1/x", login(auth, "slow:fast", 9),
	    "{\"b\":2}");
	CHECK(refused(&r));
	/* Gone while it is looked at. */
	ask_as(e, &r, "GET", "/healthz", "");
	snprintf(text, sizeof(text),
		 "GET /api/v1/x HTTP/1.1\r\nHost: h\r\n%s\r\n",
		 login(auth, "slow:gone", 9));
	CHECK(say(s, text));
	close(s);
	close(other);
	close(body);
	AWAIT(!e->web->n_connections);
}

static void test_hashing_delays_nobody_else(void **state)
{
	(void)state;
	serve_users(4, slow_hash);
}

static void stop_while_hashing(struct env *e)
{
	char auth[512], text[1024];
	int s[4];

	for (int i = 0; i < 4; i++) {
		s[i] = dial_tcp(e);
		snprintf(text, sizeof(text),
			 "GET /api/v1/x HTTP/1.1\r\nHost: h\r\n%s\r\n",
			 login(auth, "slow:slow", 9));
		CHECK(say(s[i], text));
	}
	AWAIT(({
		pthread_mutex_lock(&e->web->lock);
		size_t n = e->web->n_out[HOLD_HASHING];

		pthread_mutex_unlock(&e->web->lock);
		n > 0;
	}));
	order(e, ORDER_FREE, 0);
	for (int i = 0; i < 4; i++) {
		CHECK(closed(s[i]));
		close(s[i]);
	}
}

static void test_stopping_while_hashing(void **state)
{
	(void)state;
	serve_users(4, stop_while_hashing);
}

/* ---------------------------------------------------------------- sessions */

#define SESSION "/api/v1/session"

static void log_in(struct env *e, struct reply *r, const char *body)
{
	int s = dial_tcp(e);

	ask(s, r, "POST", SESSION, "", body);
	close(s);
}

/** "Cookie: tocsin=..." as the answer set it. */
static void cookie_of(const struct reply *r, char header[160])
{
	const char *p = strstr(r->head, "Set-Cookie: tocsin=");

	CHECK(p);
	snprintf(header, 160, "Cookie: %.*s\r\n", (int)strcspn(p + 12, ";"),
		 p + 12);
}

/** The headers of what acts in the session that on_request_in() tells of. */
static void with_csrf(int s, const char *cookie, char headers[400])
{
	struct reply r;
	json_t *o;

	ask(s, &r, "GET", SESSION, cookie, NULL);
	CHECK(r.status == 200);
	o = json_loadb(r.body, r.len, 0, NULL);
	snprintf(headers, 400, "%sX-CSRF-Token: %s\r\n", cookie,
		 json_string_value(json_object_get(o, "csrf")));
	json_decref(o);
}

/** As the controller answers /session, without the journal. */
static void on_request_in(struct web_request *r, void *arg)
{
	if (strcmp(r->path, "/session")) {
		on_request(r, arg);
	} else if (r->denied) {
		web_reply_error(r, 401, "unauthorised", NULL, "%s", r->actor);
	} else if (*r->method == 'G') {
		web_reply(r, 200,
			  json_pack("{s:s,s:s*}", "actor", r->actor, "csrf",
				    r->session ? r->session->csrf : NULL));
	} else {
		CHECK(!r->body);
		web_reply(r, 204, NULL);
	}
}

static void serve_sessions(size_t n, void (*client)(struct env *e))
{
	struct env e;
	struct reason why;

	env_init(&e, true);
	e.request = on_request_in;
	e.opt.users = users;
	e.opt.n_users = n;
	assert_int_equal(env_start(&e, &why), 0);
	env_run(&e, client);
	env_end(&e);
}

/** No browser asks for a password by itself where the page does. */
static bool session_over(const struct reply *r)
{
	return is_error(r, 401, "unauthorised") &&
	       strstr(r->head, "WWW-Authenticate: Session ") &&
	       !strstr(r->head, "Basic");
}

static void in_session(struct env *e)
{
	char cookie[160], headers[400];
	struct reply r;
	int s = dial_tcp(e);

	log_in(e, &r, "{\"user\":\"shift\",\"password\":\"shift\"}");
	CHECK(r.status == 204);
	CHECK(strstr(r.head, "; Path=/; HttpOnly; SameSite=Strict\r\n"));
	CHECK(strstr(r.head, "frame-ancestors 'none'"));
	cookie_of(&r, cookie);
	ask(s, &r, "GET", SESSION, cookie, NULL);
	CHECK(r.status == 200 && has(&r, "actor", "user:shift"));
	ask(s, &r, "GET", "/api/v1/x", cookie, NULL);
	CHECK(r.status == 200 && has(&r, "actor", "user:shift"));
	CHECK(strstr(r.body, "\"role\":1,\"n_zones\":2"));
	/* Who only has the cookie sent along may not act. */
	ask(s, &r, "POST", "/api/v1/x", cookie, NULL);
	CHECK(is_error(&r, 403, "csrf"));
	snprintf(headers, sizeof(headers), "%sX-CSRF-Token: %064d\r\n", cookie,
		 0);
	ask(s, &r, "POST", "/api/v1/x", headers, NULL);
	CHECK(is_error(&r, 403, "csrf"));
	ask(s, &r, "DELETE", SESSION, cookie, NULL);
	CHECK(is_error(&r, 403, "csrf"));
	with_csrf(s, cookie, headers);
	ask(s, &r, "POST", "/api/v1/x", headers, "{\"a\":1}");
	CHECK(r.status == 200 && has(&r, "actor", "user:shift"));
	/* A session is of a viewer too. */
	log_in(e, &r, "{\"user\":\"eye\",\"password\":\"eye\"}");
	cookie_of(&r, cookie);
	with_csrf(s, cookie, headers);
	ask(s, &r, "POST", "/api/v1/x", headers, NULL);
	CHECK(is_error(&r, 403, "forbidden"));
	ask(s, &r, "DELETE", SESSION, headers, NULL);
	CHECK(r.status == 204 && strstr(r.head, "tocsin=; "));
	CHECK(strstr(r.head, "; Max-Age=0"));
	ask(s, &r, "GET", SESSION, cookie, NULL);
	CHECK(session_over(&r));
	ask(s, &r, "GET", "/api/v1/x", cookie, NULL);
	CHECK(session_over(&r));
	close(s);
}

static void test_session(void **state)
{
	(void)state;
	serve_sessions(3, in_session);
}

static void session_over_reload(struct env *e)
{
	struct web_user changed[2] = {users[0], users[1]};
	char cookie[2][160];
	struct reply r;
	int s = dial_tcp(e);

	log_in(e, &r, "{\"user\":\"shift\",\"password\":\"shift\"}");
	cookie_of(&r, cookie[0]);
	log_in(e, &r, "{\"user\":\"boss\",\"password\":\"boss\"}");
	cookie_of(&r, cookie[1]);
	/* Kept, with what its user may now. */
	changed[0].role = WEB_VIEWER;
	web_set_users(e->web, changed, 2);
	ask(s, &r, "GET", "/api/v1/x", cookie[0], NULL);
	CHECK(r.status == 200 && strstr(r.body, "\"role\":0"));
	/* A new password ends it, and it stays ended. */
	changed[0].password_hash = users[2].password_hash;
	web_set_users(e->web, changed, 2);
	web_set_users(e->web, users, 3);
	ask(s, &r, "GET", "/api/v1/x", cookie[0], NULL);
	CHECK(session_over(&r));
	ask(s, &r, "GET", "/api/v1/x", cookie[1], NULL);
	CHECK(r.status == 200);
	/* So does being removed. */
	web_set_users(e->web, changed, 1);
	ask(s, &r, "GET", "/api/v1/x", cookie[1], NULL);
	CHECK(session_over(&r));
	close(s);
}

static void test_session_over_a_reload(void **state)
{
	(void)state;
	serve_sessions(3, session_over_reload);
}

static void bad_log_ins(struct env *e)
{
	static const char *const malformed[] = {
		"{}",
		"{\"user\":\"shift\"}",
		"{\"user\":\"shift\",\"password\":7}",
		"{\"user\":\"shift\",\"password\":\"shift\\u0000\"}",
		"[]",
	};
	struct reply r;
	int n = 0;

	for (size_t i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++) {
		log_in(e, &r, malformed[i]);
		CHECK(r.status == 400);
	}
	log_in(e, &r, NULL);
	CHECK(r.status == 400);
	CHECK(!e->handled);
	/* The controller is told who was refused, and that is counted. */
	log_in(e, &r, "{\"user\":\"nobody\",\"password\":\"boss\"}");
	CHECK(is_error(&r, 401, "unauthorised"));
	CHECK(strstr(r.body, "user:nobody") && !strstr(r.head, "Set-Cookie"));
	do {
		log_in(e, &r, "{\"user\":\"boss\",\"password\":\"eye\"}");
		CHECK(r.status == 429 || r.status == 401);
		CHECK(++n < 100);
	} while (r.status != 429);
	log_in(e, &r, "{\"user\":\"boss\",\"password\":\"boss\"}");
	CHECK(is_error(&r, 429, "too-many-tries"));
}

static void test_bad_log_ins(void **state)
{
	(void)state;
	serve_sessions(3, bad_log_ins);
}

/* -------------------------------------------------------------------- TLS */

static size_t swallow(char *p, size_t size, size_t n, void *arg)
{
	(void)p;
	(void)arg;
	return size * n;
}

static long fetch(const struct env *e, const char *scheme, const char *userpwd)
{
	CURL *h = curl_easy_init();
	char url[128];
	long status = 0;

	CHECK(h);
	snprintf(url, sizeof(url), "%s://127.0.0.1:%u/api/v1/x", scheme,
		 e->port);
	curl_easy_setopt(h, CURLOPT_URL, url);
	curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(h, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(h, CURLOPT_TIMEOUT, (long)PATIENCE_S);
	curl_easy_setopt(h, CURLOPT_SSL_VERIFYPEER, 0L);
	curl_easy_setopt(h, CURLOPT_SSL_VERIFYHOST, 0L);
	curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, swallow);
	curl_easy_setopt(h, CURLOPT_USERPWD, userpwd);
	if (curl_easy_perform(h) == CURLE_OK)
		curl_easy_getinfo(h, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_cleanup(h);
	return status;
}

static void tls(struct env *e)
{
	int s;

	CHECK(fetch(e, "https", "shift:shift") == 200);
	CHECK(fetch(e, "https", "shift:wrong") == 401);
	CHECK(fetch(e, "http", "shift:shift") == 0);
	/* Left in the middle of its handshake. */
	s = dial_tcp(e);
	CHECK(say_n(s, "\x16\x03\x01\x02\x00\x01", 6));
	close(s);
	CHECK(fetch(e, "https", "shift:shift") == 200);
}

static void test_tls(void **state)
{
	struct env e;
	struct reason why = {""};
	char pem[128], command[512];

	(void)state;
	env_init(&e, true);
	snprintf(pem, sizeof(pem), "%s/web.pem", e.dir);
	snprintf(command, sizeof(command),
		 "openssl req -x509 -newkey ec -pkeyopt "
		 "ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "
		 "/CN=127.0.0.1 -keyout %s.key -out %s >/dev/null 2>&1",
		 pem, pem);
	assert_int_equal(system(command), 0);
	e.opt.users = users;
	e.opt.n_users = 3;
	e.opt.tls_cert = pem;
	/* The certificate without its key. */
	assert_int_equal(env_start(&e, &why), EINVAL);
	assert_non_null(strstr(why.text, "its key"));
	snprintf(command, sizeof(command), "cat %s.key >> %s; rm %s.key", pem,
		 pem, pem);
	assert_int_equal(system(command), 0);
	assert_int_equal(env_start(&e, &why), 0);
	env_run(&e, tls);
	unlink(pem);
	env_end(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_in_and_out),
		cmocka_unit_test(test_tokens),
		cmocka_unit_test(test_nobody_without_users),
		cmocka_unit_test(test_bad_logins),
		cmocka_unit_test(test_guesses_are_counted),
		cmocka_unit_test(test_right_passwords_are_not_counted),
		cmocka_unit_test(test_users_after_a_reload),
		cmocka_unit_test(test_hashing_delays_nobody_else),
		cmocka_unit_test(test_stopping_while_hashing),
		cmocka_unit_test(test_session),
		cmocka_unit_test(test_session_over_a_reload),
		cmocka_unit_test(test_bad_log_ins),
		cmocka_unit_test(test_tls),
	};

	curl_global_init(CURL_GLOBAL_DEFAULT);
	control_init();
	make_users();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
