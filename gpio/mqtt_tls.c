/* TLS towards the broker. Own context rather than libmosquitto's, because only
 * then the refusal of a certificate can be told in words. */
#include "gpio/mqtt_link.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <stdio.h>

/* Runs in the MQTT thread during a handshake. */
static int verify_handler(int ok, X509_STORE_CTX *sc)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(
		sc, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct mqtt_tls_peer *peer = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
	X509 *cert = X509_STORE_CTX_get_current_cert(sc);
	char name[100] = "?";

	if (ok)
		return 1;
	if (cert)
		X509_NAME_oneline(X509_get_subject_name(cert), name,
				  sizeof(name));
	reason_set(&peer->verdict, 0, "%s (certificate of %s)",
		   X509_verify_cert_error_string(X509_STORE_CTX_get_error(sc)),
		   name);
	return 0;
}

/* Without it OpenSSL would ask for the key's password on the terminal. */
static int no_password_handler(char *buf, int size, int rwflag, void *arg)
{
	(void)buf;
	(void)size;
	(void)rwflag;
	(void)arg;
	return -1;
}

/* The last error of this thread's queue, as text. */
static const char *tls_error(void)
{
	const char *text = ERR_reason_error_string(ERR_peek_last_error());

	return text ? text : "not readable";
}

static bool is_address(const char *host)
{
	unsigned char addr[sizeof(struct in6_addr)];

	return inet_pton(AF_INET, host, addr) == 1 ||
	       inet_pton(AF_INET6, host, addr) == 1;
}

/* libmosquitto connects to an address that was found already and would greet
 * the server by it (SNI, RFC 6066 section 3: names only). */
static void info_handler(const SSL *ssl, int where, int ret)
{
	const struct mqtt_tls_peer *peer =
		SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

	(void)ret;
	if (where & SSL_CB_HANDSHAKE_START)
		SSL_set_tlsext_host_name(
			(SSL *)ssl,
			is_address(peer->host) ? NULL : (char *)peer->host);
}

static int check_host(SSL_CTX *ctx, const char *host)
{
	X509_VERIFY_PARAM *param = SSL_CTX_get0_param(ctx);

	if (is_address(host))
		return X509_VERIFY_PARAM_set1_ip_asc(param, host);
	X509_VERIFY_PARAM_set_hostflags(param,
					X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return X509_VERIFY_PARAM_set1_host(param, host, 0);
}

SSL_CTX *mqtt_tls(const struct mqtt_own_spec *spec, struct mqtt_tls_peer *peer,
		  struct reason *why)
{
	SSL_CTX *ctx;

	ERR_clear_error();
	ctx = SSL_CTX_new(TLS_client_method());
	if (!ctx || !SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) ||
	    !check_host(ctx, peer->host)) {
		reason_set(why, 0, "mqtt: TLS cannot be set up: %s",
			   tls_error());
		goto fail;
	}
	SSL_CTX_set_app_data(ctx, peer);
	SSL_CTX_set_info_callback(ctx, info_handler);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, verify_handler);
	SSL_CTX_set_default_passwd_cb(ctx, no_password_handler);
	if (spec->ca ? !SSL_CTX_load_verify_locations(ctx, spec->ca, NULL)
		     : !SSL_CTX_set_default_verify_paths(ctx)) {
		reason_set(why, 0,
			   "mqtt: ca \"%s\": %s: a file of PEM certificates "
			   "is needed",
			   spec->ca ? spec->ca : "of the system", tls_error());
		goto fail;
	}
	if (spec->cert &&
	    SSL_CTX_use_certificate_chain_file(ctx, spec->cert) != 1) {
		reason_set(why, 0,
			   "mqtt: cert \"%s\": %s: a PEM certificate is needed",
			   spec->cert, tls_error());
		goto fail;
	}
	if (spec->cert && (SSL_CTX_use_PrivateKey_file(
				   ctx, spec->key ? spec->key : spec->cert,
				   SSL_FILETYPE_PEM) != 1 ||
			   SSL_CTX_check_private_key(ctx) != 1)) {
		reason_set(why, 0,
			   "mqtt: key \"%s\": %s: the certificate's PEM key "
			   "without a password is needed",
			   spec->key ? spec->key : spec->cert, tls_error());
		goto fail;
	}
	return ctx;
fail:
	ERR_clear_error();
	SSL_CTX_free(ctx);
	return NULL;
}
