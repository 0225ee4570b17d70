/* Every way a broker can be away, in words a person can act on. Pure. */
#include "gpio/mqtt_link.h"

#include <errno.h>
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

char *mqtt_broker_name(char *buf, size_t size, const struct mqtt_own_spec *s)
{
	bool v6 = strchr(s->host, ':') != NULL;

	snprintf(buf, size, "%s://%s%s%s:%u", s->tls ? "mqtts" : "mqtt",
		 v6 ? "[" : "", s->host, v6 ? "]" : "", s->port);
	return buf;
}

#define BROKER(s) mqtt_broker_name((char[300]){""}, 300, s)

void mqtt_text_connack(struct reason *r, const struct mqtt_own_spec *s,
		       int code)
{
	switch (code) {
	case MQTT_RC_BAD_USERNAME_OR_PASSWORD:
	case MQTT_RC_NOT_AUTHORIZED:
		/* mosquitto answers a wrong password with "not authorized" */
		if (s->user)
			reason_set(r, 0,
				   "%s: wrong password for user \"%s\", or the "
				   "user is not authorised to connect: check "
				   "user and password-file",
				   BROKER(s), s->user);
		else
			reason_set(r, 0,
				   "%s: not authorised without a password: set "
				   "user and password-file",
				   BROKER(s));
		break;
	case MQTT_RC_CLIENTID_NOT_VALID:
		reason_set(r, 0,
			   "%s: the broker does not accept the client id "
			   "\"%s\": set client-id",
			   BROKER(s), s->client_id);
		break;
	case MQTT_RC_UNSUPPORTED_PROTOCOL_VERSION:
	case CONNACK_REFUSED_PROTOCOL_VERSION:
		reason_set(r, 0,
			   "%s: the broker does not speak MQTT version 5: "
			   "enable it there or update the broker",
			   BROKER(s));
		break;
	case MQTT_RC_BANNED:
		reason_set(r, 0, "%s: the broker has banned this client",
			   BROKER(s));
		break;
	default:
		reason_set(r, 0, "%s: the broker refused the connection: %s",
			   BROKER(s), mosquitto_reason_string(code));
		break;
	}
}

void mqtt_text_unresolved(struct reason *r, const struct mqtt_own_spec *s,
			  int eai)
{
	reason_set(r, 0,
		   "%s: the name \"%s\" cannot be resolved (DNS: %s): check "
		   "the name and the name server, or use an address",
		   BROKER(s), s->host, gai_strerror(eai));
}

void mqtt_text_unreached(struct reason *r, const struct mqtt_own_spec *s,
			 int err)
{
	switch (err) {
	case ECONNREFUSED:
		reason_set(r, 0,
			   "%s: connection refused: the broker does not run "
			   "there, or listens on another port",
			   BROKER(s));
		break;
	case ENETUNREACH:
	case EHOSTUNREACH:
	case ENETDOWN:
		reason_set(r, 0,
			   "%s: no route (%s): check cable, interface and "
			   "routes",
			   BROKER(s), strerror(err));
		break;
	case ETIMEDOUT:
		reason_set(r, 0,
			   "%s: no answer: check that the host is up and no "
			   "firewall is between",
			   BROKER(s));
		break;
	default:
		reason_set(r, 0, "%s: cannot connect: %s", BROKER(s),
			   strerror(err));
		break;
	}
}

void mqtt_text_lost(struct reason *r, const struct mqtt_own_spec *s, int rc,
		    int err, bool up, const char *tls)
{
	if (tls && tls[0]) {
		reason_set(r, 0,
			   "%s: the broker's TLS certificate is not trusted: "
			   "%s: check ca, the certificate and the clock",
			   BROKER(s), tls);
		return;
	}
	switch (rc) {
	case MOSQ_ERR_KEEPALIVE:
		reason_set(r, 0,
			   "%s: no answer for %u s (keep-alive time-out): "
			   "check the network and the broker",
			   BROKER(s), s->keepalive_s);
		break;
	case MOSQ_ERR_TLS:
		reason_set(r, 0,
			   "%s: TLS failed: is this the broker's TLS port, and "
			   "does it want a certificate of ours (cert, key)?",
			   BROKER(s));
		break;
	case MOSQ_ERR_ERRNO:
		if (up)
			reason_set(r, 0, "%s: connection lost: %s", BROKER(s),
				   strerror(err));
		else
			mqtt_text_unreached(r, s, err);
		break;
	case MQTT_RC_SESSION_TAKEN_OVER:
		reason_set(r, 0,
			   "%s: another client connected with our client id "
			   "\"%s\": give each its own client-id",
			   BROKER(s), s->client_id);
		break;
	case MQTT_RC_SERVER_SHUTTING_DOWN:
		reason_set(r, 0, "%s: the broker is shutting down", BROKER(s));
		break;
	case MOSQ_ERR_CONN_LOST:
	case MOSQ_ERR_NO_CONN:
	case MOSQ_ERR_SUCCESS:
		if (up)
			reason_set(r, 0, "%s: the broker closed the connection",
				   BROKER(s));
		else
			reason_set(
				r, 0,
				"%s: the broker closed the connection "
				"before it answered: is this its MQTT port%s?",
				BROKER(s), s->tls ? "" : ", without TLS");
		break;
	default:
		reason_set(r, 0, "%s: %s", BROKER(s),
			   rc >= 128 ? mosquitto_reason_string(rc)
				     : mosquitto_strerror(rc));
		break;
	}
}
