#include "zones/engine/endpoint.h"

#include <errno.h>
#include <string.h>

int endpoint_set(union endpoint *e, const struct sockaddr_storage *ss)
{
	memset(e, 0, sizeof(*e));
	if (ss->ss_family == AF_INET)
		memcpy(&e->in, ss, sizeof(e->in));
	else if (ss->ss_family == AF_INET6)
		memcpy(&e->in6, ss, sizeof(e->in6));
	else
		return EAFNOSUPPORT;
	return 0;
}

socklen_t endpoint_len(const union endpoint *e)
{
	return e->sa.sa_family == AF_INET6 ? sizeof(e->in6) : sizeof(e->in);
}

/** The IPv4 address of an endpoint, mapped or not; false when it has none. */
static bool as_in(const union endpoint *e, uint32_t *addr, uint16_t *port)
{
	if (e->sa.sa_family == AF_INET) {
		*addr = e->in.sin_addr.s_addr;
		*port = e->in.sin_port;
		return true;
	}
	if (!IN6_IS_ADDR_V4MAPPED(&e->in6.sin6_addr))
		return false;
	memcpy(addr, &e->in6.sin6_addr.s6_addr[12], 4);
	*port = e->in6.sin6_port;
	return true;
}

bool endpoint_equal(const union endpoint *a, const union endpoint *b)
{
	uint32_t x = 0, y = 0;
	uint16_t p = 0, q = 0;
	bool va = as_in(a, &x, &p), vb = as_in(b, &y, &q);

	if (va || vb)
		return va && vb && x == y && p == q;
	return a->in6.sin6_port == b->in6.sin6_port &&
	       a->in6.sin6_scope_id == b->in6.sin6_scope_id &&
	       IN6_ARE_ADDR_EQUAL(&a->in6.sin6_addr, &b->in6.sin6_addr);
}

bool endpoint_in6(const union endpoint *e, struct sockaddr_in6 *in6)
{
	if (e->sa.sa_family == AF_INET6) {
		*in6 = e->in6;
		return true;
	}
	if (e->sa.sa_family != AF_INET)
		return false;
	*in6 = (struct sockaddr_in6){.sin6_family = AF_INET6,
				     .sin6_port = e->in.sin_port};
	in6->sin6_addr.s6_addr[10] = in6->sin6_addr.s6_addr[11] = 0xff;
	memcpy(&in6->sin6_addr.s6_addr[12], &e->in.sin_addr, 4);
	return true;
}
