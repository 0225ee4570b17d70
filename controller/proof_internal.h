/**
 * What the files of proof share. Nobody else includes this.
 *
 *  proof.c        what is watched    proof_judge.c  what is wrong
 *  proof_json.c   what is shown
 */
#ifndef TOCSIN_PROOF_INTERNAL_H
#define TOCSIN_PROOF_INTERNAL_H

#include "controller/base/compat.h"
#include "proof.h"
#include "zones/engine/ptt.h"
#include "zones/engine/seal.h"
#include "zones/watch/heard.h"
#include "zones/watch/loop.h"
#include "zones/watch/member.h"
#include "zones/watch/meter.h"
#include "zones/watch/tap.h"

#include <net/if.h>

#define PROOF_OUTPUTS MEDIA_MAX_OUTPUTS
/** Interfaces with multicasts. */
#define PROOF_LINKS 64
#define PROOF_PLACES 4096 /* of the hash table: a power of two */

/** How an interface's outputs are heard back. */
enum proof_means {
	PROOF_OFF,
	PROOF_WIRE, /**< packet socket: what goes to the driver */
	PROOF_LOOP, /**< what this host gets looped back from itself */
};

/** One multicast. */
struct proof_output {
	bool used, hear, foreign;
	int link;
	char name[128];
	struct media_output out;
	uint32_t ssrc, old_ssrc;
	struct seal *seal;   /**< NULL = not encrypted */
	uint64_t metered_us; /**< G.722, Opus: when one was last decoded */
	struct heard heard;
	enum heard_verdict verdict;
	struct talker talker;
	uint64_t foreign_packets;
};

/** One interface that carries multicasts. */
struct proof_link {
	char name[IF_NAMESIZE]; /**< "" = free */
	unsigned ifindex;       /**< 0 = not there */
	bool wanted; /**< by an output, while they are gone through */
	bool alone;  /**< lo: no network, no querier, nobody else */
	enum proof_means means;
	int err;  /**< why it is not better */
	int sent; /**< taps, -1 = closed */
	int others[2];
	struct loop *loop;
	unsigned sparse; /**< of a loop, a sample is one packet in so many */
	unsigned every;  /**< packets between two samples, at most */
	unsigned wait;   /**< looks from one time of seeing to the next */
	unsigned due;    /**< looks until then */
	unsigned see_ms; /**< how long it sees then: a packet of each output */
	unsigned outputs;
	uint64_t drops;
	struct members *members;
	int join_err;
	/* IPv4, IPv6 */
	bool family[2];
	struct querier querier[2];
	enum querier_verdict verdict[2];
	uint64_t asked_us[2];
};

struct proof {
	struct media *media;
	const struct sounds *sounds;
	struct faults *faults;
	const struct config *config;
	struct tmr tmr;
	struct tmr shut; /**< the eyes of all that see */
	struct meter *meter;
	unsigned stateful; /**< outputs of G.722 and Opus */
	uint64_t now;
	uint64_t looked_us; /**< at the interfaces, last */
	int at;             /**< link whose tap is read */
	struct proof_link link[PROOF_LINKS];
	struct proof_output output[PROOF_OUTPUTS];
	unsigned n; /**< outputs: one above the highest in use */
	uint16_t place[PROOF_PLACES]; /**< output + 1 by link and address */
};

/* proof_judge.c */
/** Raises and clears what stands for the outputs; true while one sounds. */
bool proof_judge_outputs(struct proof *p);
/** The same for an interface, about once a second. */
void proof_judge_link(struct proof *p, struct proof_link *l);
/** Clears the faults of what is not watched any more. */
void proof_judge_gone(struct proof *p);
/** Is a querier expected there? */
enum querier_mode proof_querier_mode(const struct proof *p,
				     const struct proof_link *l);

#endif
