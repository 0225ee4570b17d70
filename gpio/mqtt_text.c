/* Every way a broker can be away, in words a person can act on. Pure. */
#include "gpio/mqtt_link.h"

#include <errno.h>
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

char *mqtt_broker_name(char *buf, size_t size, const struct mqtt_own_broker *b)
{
	bool v6 = strchr(b->host, ':') != NULL;

	snprintf(buf, size, "%s://%s%s%s:%u", b->tls ? "mqtts" : "mqtt",
		 v6 ? "[" : "", b->host, v6 ? "]" : "", b->port);
	return buf;
}

#define BROKER(b) mqtt_broker_name((char[300]){""}, 300, b)

void mqtt_text_connack(struct reason *r, const struct mqtt_own_spec *s,
		       unsigned broker, int code)
{
	const struct mqtt_own_broker *b = &s->broker[broker];

	switch (code) {
	case MQTT_RC_BAD_USERNAME_OR_PASSWORD:
	case MQTT_RC_NOT_AUTHORIZED:
		/* mosquitto answers a wrong password with "not authorized" */
		if (s->user)
			reason_set(r, 0,
				   "%s: wrong password for user \"%s\", or the "
				   "user is not authorised to connect: check "
				   "user and password-file",
				   BROKER(b), s->user);
		else
			reason_set(r, 0,
				   "%s: not authorised without a password: set "
				   "user and password-file",
				   BROKER(b));
		break;
	case MQTT_RC_CLIENTID_NOT_VALID:
		reason_set(r, 0,
			   "%s: the broker does not accept the client id "
			   "\"%s\": set client-id",
			   BROKER(b), s->client_id);
		break;
	case MQTT_RC_UNSUPPORTED_PROTOCOL_VERSION:
	case CONNACK_REFUSED_PROTOCOL_VERSION:
		reason_set(r, 0,
			   "%s: the broker does not speak MQTT version 5: "
			   "enable it there or update the broker",
			   BROKER(b));
		break;
	case MQTT_RC_BANNED:
		reason_set(r, 0, "%s: the broker has banned this client",
			   BROKER(b));
		break;
	default:
		reason_set(r, 0, "%s: the broker refused the connection: %s",
			   BROKER(b), mosquitto_reason_string(code));
		break;
	}
}

void mqtt_text_unresolved(struct reason *r, const struct mqtt_own_broker *b,
			  int eai)
{
	if (!eai) {
		reason_set(r, 0,
			   "%s: the name server gives no answer for \"%s\": "
			   "check the name server and the way to it, or use an "
			   "address",
			   BROKER(b), b->host);
		return;
	}
	reason_set(r, 0,
		   "%s: the name \"%s\" cannot be resolved (DNS: %s): check "
		   "the name and the name server, or use an address",
		   BROKER(b), b->host, gai_strerror(eai));
}

void mqtt_text_unreached(struct reason *r, const struct mqtt_own_broker *b,
			 int err)
{
	switch (err) {
	case ECONNREFUSED:
		reason_set(r, 0,
			   "%s: connection refused: the broker does not run "
			   "there, or listens on another port",
			   BROKER(b));
		break;
	case ENETUNREACH:
	case EHOSTUNREACH:
	case ENETDOWN:
		reason_set(r, 0,
			   "%s: no route (%s): check cable, interface and "
			   "routes",
			   BROKER(b), strerror(err));
		break;
	case ETIMEDOUT:
		reason_set(r, 0,
			   "%s: no answer: check that the host is up and no "
			   "firewall is between",
			   BROKER(b));
		break;
	default:
		reason_set(r, 0, "%s: cannot connect: %s", BROKER(b),
			   strerror(err));
		break;
	}
}

/* Between TCP and the CONNACK; how the end of TLS shows is a matter of time. */
static void closed_early(struct reason *r, const struct mqtt_own_spec *s,
			 const struct mqtt_own_broker *b)
{
	reason_set(r, 0,
		   "%s: the broker closed the connection before it answered: "
		   "is this its MQTT port, %s?",
		   BROKER(b),
		   !b->tls   ? "without TLS"
		   : s->cert ? "and does it trust our certificate (cert, key)"
			     : "with TLS, and does it want a certificate of "
			       "ours (cert, key)");
}

void mqtt_text_lost(struct reason *r, const struct mqtt_own_spec *s,
		    unsigned broker, int rc, int err, bool up, const char *tls)
{
	const struct mqtt_own_broker *b = &s->broker[broker];

	if (tls && tls[0]) {
		reason_set(r, 0,
			   "%s: the broker's TLS certificate is not trusted: "
			   "%s: check ca, the certificate and the clock",
			   BROKER(b), tls);
		return;
	}
	switch (rc) {
	case MOSQ_ERR_KEEPALIVE:
		reason_set(r, 0,
			   "%s: no answer for %u s (keep-alive time-out): "
			   "check the network and the broker",
			   BROKER(b), s->keepalive_s);
		break;
	case MOSQ_ERR_TLS:
		closed_early(r, s, b);
		break;
	case MOSQ_ERR_ERRNO:
		if (up && err == ETIMEDOUT)
			reason_set(r, 0,
				   "%s: no answer for %u s (connection lost): "
				   "check the network and the broker",
				   BROKER(b), s->keepalive_s);
		else if (up)
			reason_set(r, 0, "%s: connection lost: %s", BROKER(b),
				   strerror(err));
		else if (b->tls || err == ECONNRESET || err == EPIPE)
			/* libmosquitto makes EPROTO of what OpenSSL says */
			closed_early(r, s, b);
		else
			mqtt_text_unreached(r, b, err);
		break;
	case MQTT_RC_SESSION_TAKEN_OVER:
		reason_set(r, 0,
			   "%s: another client connected with our client id "
			   "\"%s\": give each its own client-id",
			   BROKER(b), s->client_id);
		break;
	case MQTT_RC_SERVER_SHUTTING_DOWN:
		reason_set(r, 0, "%s: the broker is shutting down", BROKER(b));
		break;
	case MOSQ_ERR_CONN_LOST:
	case MOSQ_ERR_NO_CONN:
	case MOSQ_ERR_SUCCESS:
		if (up)
			reason_set(r, 0, "%s: the broker closed the connection",
				   BROKER(b));
		else
			closed_early(r, s, b);
		break;
	default:
		reason_set(r, 0, "%s: %s", BROKER(b),
			   rc >= 128 ? mosquitto_reason_string(rc)
				     : mosquitto_strerror(rc));
		break;
	}
}
