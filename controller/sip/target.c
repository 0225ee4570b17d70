/*
 * Where our own requests in a dialog go.
 *
 * libre 1 and 2 forget by which transport a dialog came (LIBRE.md B14) and we
 * run no DNS client here: a Contact without ";transport" would be called by UDP
 * for a TCP call, and one with a host name not at all. Such a target is
 * rewritten to the address the INVITE came from.
 */
#include "controller/sip/core.h"

static bool reachable(const struct listener *l, const struct uri *uri,
		      enum sip_transp came)
{
	struct pl tp;
	struct sa sa;

	if (sa_set(&sa, &uri->host, 0))
		return false;
	if (msg_param_decode(&uri->params, "transport", &tp))
		return came == SIP_TRANSP_UDP;
	if (!pl_strcasecmp(&tp, "tcp"))
		return l->tcp;
	return pl_strcasecmp(&tp, "tls") ? !pl_strcasecmp(&tp, "udp") && l->udp
					 : l->tls;
}

/* A message of our own making with this Contact, for sip_dialog_update(). */
static int contact_message(struct sip_msg **msgp, const struct uri *uri,
			   const struct sip_msg *invite)
{
	struct mbuf *mb = mbuf_alloc(1024);
	struct sa to = invite->src;
	struct sa host;
	int err;

	if (!mb)
		return ENOMEM;
	/* Their port of a TCP connection is no listening one. */
	if (!sa_set(&host, &uri->host, 0))
		to = host;
	if (uri->port || invite->tp != SIP_TRANSP_UDP)
		sa_set_port(&to, uri->port ? uri->port : SIP_PORT);
	err = mbuf_printf(mb,
			  "SIP/2.0 200 OK\r\n"
			  "Via: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK-pin\r\n"
			  "From: <sip:a@b>;tag=1\r\n"
			  "To: <sip:a@b>;tag=2\r\n"
			  "Call-ID: pin\r\n"
			  "CSeq: 1 INVITE\r\n"
			  "Contact: <sip:%r%s%J%s>\r\n"
			  "\r\n",
			  &uri->user, pl_isset(&uri->user) ? "@" : "", &to,
			  sip_transp_param(invite->tp));
	mb->pos = 0;
	if (!err)
		err = sip_msg_decode(msgp, mb);
	mem_deref(mb);
	return err;
}

int target_pin(struct sip_dialog *dlg, const struct sip_msg *invite,
	       const struct listener *l)
{
	const struct sip_hdr *contact = sip_msg_hdr(invite, SIP_HDR_CONTACT);
	struct sip_msg *msg;
	struct sip_addr addr;
	int err;

	/* A route decides, not the target. */
	if (sip_msg_hdr(invite, SIP_HDR_RECORD_ROUTE))
		return 0;
	if (!contact || sip_addr_decode(&addr, &contact->val))
		return EBADMSG;
	if (reachable(l, &addr.uri, invite->tp))
		return 0;
	err = contact_message(&msg, &addr.uri, invite);
	if (err)
		return err;
	err = sip_dialog_update(dlg, msg);
	mem_deref(msg);
	return err;
}
