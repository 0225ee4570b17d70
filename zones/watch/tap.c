#include "zones/watch/tap.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

/** Taps are emptied several times a second, not at each packet. */
#define BUFFER (1 << 20)
#define BATCH 32

int tap_filter(int fd, const struct filter_want *want)
{
	struct sock_filter code[FILTER_MAX];
	struct sock_fprog prog = {
		.len = (unsigned short)filter_build(code, want),
		.filter = code,
	};

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog))
		       ? errno
		       : 0;
}

void tap_look(int fd, bool open)
{
	const int ignore = !open;

	(void)setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &ignore,
			 sizeof(ignore));
}

int tap_open(enum tap_kind kind, unsigned ifindex, struct filter_want *want)
{
	/* What is sent is shown to those alone who want everything. */
	static const uint16_t protocol[] = {
		[TAP_SENT] = ETH_P_ALL,
		[TAP_OTHERS] = ETH_P_IP,
		[TAP_OTHERS6] = ETH_P_IPV6,
	};
	struct sockaddr_ll at = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(protocol[kind]),
		.sll_ifindex = (int)ifindex,
	};
	int size = BUFFER, err;
	/* Protocol 0: deaf until the filter is in its place. */
	int fd =
		socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	err = tap_filter(fd, want);
	if (kind == TAP_SENT)
		tap_look(fd, false);
	if (!err && bind(fd, (struct sockaddr *)&at, sizeof(at)))
		err = errno;
	if (err) {
		close(fd);
		errno = err;
		return -1;
	}
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size,
				 sizeof(size));
	return fd;
}

int tap_accept_group(int fd, unsigned ifindex, const uint8_t mac[6])
{
	struct packet_mreq m = {
		.mr_ifindex = (int)ifindex,
		.mr_type = PACKET_MR_MULTICAST,
		.mr_alen = 6,
	};

	memcpy(m.mr_address, mac, 6);
	return setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &m, sizeof(m))
		       ? errno
		       : 0;
}

int tap_read(int fd, unsigned most, tap_h *h, void *arg, uint64_t *drops)
{
	struct mmsghdr msg[BATCH];
	struct iovec iov[BATCH];
	struct sockaddr_ll from[BATCH];
	uint8_t buf[BATCH][FILTER_SNAP];
	struct tpacket_stats st;
	socklen_t len = sizeof(st);
	unsigned done = 0;
	int n = BATCH;

	while (done < most && n == BATCH) {
		memset(msg, 0, sizeof(msg));
		for (unsigned i = 0; i < BATCH; i++) {
			iov[i].iov_base = buf[i];
			iov[i].iov_len = FILTER_SNAP;
			msg[i].msg_hdr.msg_iov = &iov[i];
			msg[i].msg_hdr.msg_iovlen = 1;
			msg[i].msg_hdr.msg_name = &from[i];
			msg[i].msg_hdr.msg_namelen = sizeof(from[i]);
		}
		n = recvmmsg(fd, msg, BATCH, 0, NULL);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			break;
		if (n < 0)
			return -1;
		for (int i = 0; i < n; i++) {
			struct frame f;

			if (!frame_decode(&f, buf[i], msg[i].msg_len))
				h(&f, from[i].sll_pkttype == PACKET_OUTGOING,
				  arg);
		}
		done += (unsigned)n;
	}
	/* Reading them sets them to 0. */
	if (drops && !getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &st, &len))
		*drops += st.tp_drops;
	return (int)done;
}
