/*
 * TLS of SIP: see secure.h.
 *
 * What is set on the context while libre makes a connection's SSL is what that
 * connection keeps: a client's checks its server, others' stay as they are.
 */
#include "controller/sip/guard_door.h"
#include "controller/sip/guard_real.h"
#include "controller/sip/secure.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>

#define GUARD __attribute__((visibility("default")))

/** Servers whose names are known: the registrars of all accounts. */
#define MAX_EXPECTED (CONFIG_MAX_ACCOUNTS * CONFIG_MAX_REGISTRARS)

static struct expected {
	struct sa to;
	char name[256];
	char complaint[96];
} expected[MAX_EXPECTED];
static size_t n_expected, oldest;
static unsigned refused; /* connections to nobody knows whom */

void secure_expect(const struct sa *to, const char *name)
{
	struct expected *e = NULL;

	for (size_t i = 0; i < n_expected && !e; i++)
		if (sa_cmp(&expected[i].to, to, SA_ALL))
			e = &expected[i];
	if (e && !strcmp(e->name, name))
		return;
	if (!e && n_expected < MAX_EXPECTED)
		e = &expected[n_expected++];
	if (!e) {
		e = &expected[oldest];
		oldest = (oldest + 1) % MAX_EXPECTED;
	}
	e->to = *to;
	e->complaint[0] = '\0';
	snprintf(e->name, sizeof(e->name), "%s", name);
}

static struct expected *find(const struct sa *to)
{
	for (size_t i = 0; i < n_expected; i++)
		if (sa_cmp(&expected[i].to, to, SA_ALL))
			return &expected[i];
	return NULL;
}

const char *secure_complaint(const char *name)
{
	for (size_t i = 0; i < n_expected; i++)
		if (!strcmp(expected[i].name, name) && expected[i].complaint[0])
			return expected[i].complaint;
	return "";
}

static void complain(const char *name, const char *what)
{
	for (size_t i = 0; i < n_expected; i++)
		if (!strcmp(expected[i].name, name))
			snprintf(expected[i].complaint,
				 sizeof(expected[i].complaint), "%s", what);
}

static int verify(int ok, X509_STORE_CTX *store)
{
	X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(store);
	const int err = X509_STORE_CTX_get_error(store);
	const char *name = X509_VERIFY_PARAM_get0_host(param, 0);
	char *ip = name ? NULL : X509_VERIFY_PARAM_get1_ip_asc(param);
	char text[96];

	snprintf(text, sizeof(text), "%.60s%s",
		 X509_verify_cert_error_string(err),
		 err == X509_V_ERR_HOSTNAME_MISMATCH ? ": it is not its name"
						     : "");
	if (name || ip)
		complain(name ? name : ip, ok ? "" : text);
	OPENSSL_free(ip);
	return ok;
}

/* RFC 6066 3: a server of many names is told which is meant, before the first
 * message; that of an address is not. libre 2 has no call for it alone. */
static void say_name(const SSL *ssl, int where, int ret)
{
	SSL *s = (SSL *)(uintptr_t)ssl;
	const char *name;

	(void)ret;
	if (!(where & SSL_CB_HANDSHAKE_START) || SSL_is_server(s))
		return;
	name = X509_VERIFY_PARAM_get0_host(SSL_get0_param(s), 0);
	if (name)
		(void)SSL_set_tlsext_host_name(s, name);
}

#if TC_RE_VER < 30000
static void check_server(SSL_CTX *ctx, const char *name)
{
	X509_VERIFY_PARAM *param = SSL_CTX_get0_param(ctx);

	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, verify);
	if (!X509_VERIFY_PARAM_set1_ip_asc(param, name))
		(void)X509_VERIFY_PARAM_set1_host(param, name, 0);
}

static void check_nobody(SSL_CTX *ctx)
{
	X509_VERIFY_PARAM *param = SSL_CTX_get0_param(ctx);

	SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
	(void)X509_VERIFY_PARAM_set1_host(param, NULL, 0);
	(void)X509_VERIFY_PARAM_set1_ip(param, NULL, 0);
	ERR_clear_error();
}

GUARD int tls_start_tcp(struct tls_conn **ptc, struct tls *tls,
			struct tcp_conn *tcp, int layer)
{
	int (*real)(struct tls_conn **, struct tls *, struct tcp_conn *, int) =
		GUARD_REAL(tls_start_tcp);
	SSL_CTX *ctx = tls ? tls_openssl_context(tls) : NULL;
	struct expected *e;
	struct sa peer;
	int err;

	if (!real || !ctx)
		return ENOSYS;
	if (door_has_accepted(tcp))
		return real(ptc, tls, tcp, layer);
	if (door_goes_to(tcp, &peer) || !(e = find(&peer))) {
		refused++;
		return EACCES;
	}
	e->complaint[0] = '\0';
	check_server(ctx, e->name);
	err = real(ptc, tls, tcp, layer);
	check_nobody(ctx);
	return err;
}

/* libre 2 would check the address: the name has been set. */
GUARD int tls_set_verify_server(struct tls_conn *tc, const char *host)
{
	(void)tc;
	(void)host;
	return 0;
}
#endif

int secure_load(struct tls *t, const struct config_sip *c, struct reason *why)
{
	SSL_CTX *ctx = tls_openssl_context(t);
	int err = 0;

	if (c->tls_cert &&
	    (SSL_CTX_use_certificate_chain_file(ctx, c->tls_cert) != 1 ||
	     SSL_CTX_use_PrivateKey_file(ctx, c->tls_cert, SSL_FILETYPE_PEM) !=
		     1 ||
	     SSL_CTX_check_private_key(ctx) != 1))
		err = reason_set(why, EINVAL,
				 "sip.tls-cert %s: no certificate with its "
				 "private key in PEM form",
				 c->tls_cert);
	else if (c->tls_ca ? SSL_CTX_load_verify_locations(ctx, c->tls_ca,
							   NULL) != 1
			   : SSL_CTX_set_default_verify_paths(ctx) != 1)
		err = reason_set(why, EINVAL,
				 "sip.tls-ca %s: no certificates in PEM form",
				 c->tls_ca ? c->tls_ca : "of the system");
	ERR_clear_error();
	return err;
}

int secure_alloc(struct tls **tp, const struct config_sip *c,
		 struct reason *why)
{
	struct tls *t = NULL;
	int err = tls_alloc(&t, TLS_METHOD_SSLV23, NULL, NULL);

	if (err)
		return reason_set(why, err, "TLS: %s", strerror(err));
	SSL_CTX_set_min_proto_version(tls_openssl_context(t), TLS1_2_VERSION);
	SSL_CTX_set_info_callback(tls_openssl_context(t), say_name);
	err = secure_load(t, c, why);
	if (!err)
		err = secure_self_test(why);
	if (err)
		mem_deref(t);
	else
		*tp = t;
	return err;
}

/* libre is made to connect by TLS to an address of which no name is known: the
 * guard refuses at once, where libre alone would begin. */
int secure_self_test(struct reason *why)
{
	const unsigned before = refused;
	struct sip_request *req = NULL;
	struct tls *tls = NULL;
	struct sip *sip = NULL;
	struct sa laddr;
	char uri[80];
	int err;

	(void)sa_set_str(&laddr, "127.0.0.1", 0);
	err = tls_alloc(&tls, TLS_METHOD_SSLV23, NULL, NULL);
	if (!err)
		err = sip_alloc(&sip, NULL, 8, 8, 8, NULL, NULL, NULL);
	if (!err)
		err = sip_transp_add(sip, SIP_TRANSP_TLS, &laddr, tls);
	if (!err)
		err = sip_transp_laddr(sip, &laddr, SIP_TRANSP_TLS, NULL);
	(void)re_snprintf(uri, sizeof(uri), "sip:%J;transport=tls", &laddr);
	if (!err)
		(void)sip_requestf(&req, sip, true, "OPTIONS", uri, NULL, NULL,
				   NULL, NULL, NULL,
				   "Content-Length: 0\r\n\r\n");
	mem_deref(req);
	sip_transp_flush(sip);
	sip_close(sip, true);
	mem_deref(sip);
	mem_deref(tls);
	if (err)
		return reason_set(why, err, "self-test of TLS: %s",
				  strerror(err));
	return refused != before
		       ? 0
		       : reason_set(why, ENOTSUP,
				    "guard tls_start_tcp is not in force: a "
				    "server was not checked; this libre is "
				    "linked in a way that cannot be "
				    "interposed");
}
