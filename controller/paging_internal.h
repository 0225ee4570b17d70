/**
 * What the two halves of paging share: a call and its page (paging.c), and the
 * keys a caller is asked for before it (paging_keys.c). Control thread.
 */
#ifndef TOCSIN_PAGING_INTERNAL_H
#define TOCSIN_PAGING_INTERNAL_H

#include "controller/base/compat.h"
#include "controller/base/log.h"
#include "entry/entry.h"
#include "entry/pins.h"
#include "oneway.h"
#include "paging.h"
#include "sip/respri.h"

enum page_state {
	PAGE_LIVE,
	PAGE_ASKS_PIN,
	PAGE_ASKS_ZONE,
	PAGE_PROMPTED, /**< hears that he is to speak, then is recorded */
	PAGE_RECORDS,
	PAGE_SAID, /**< hears that it is over, then the call ends */
};

struct page {
	struct paging *owner;
	struct page_call *call;
	uint64_t id;        /**< call's record: its name in the API */
	uint64_t broadcast; /**< 0 = none (any more) */
	enum page_state state;
	struct stored_page *stored; /**< NULL = live, or recorded by now */
	unsigned leg;
	int rank; /**< as its caller says, RESPRI_NONE = not believed */
	uint8_t level;
	bool leg_open;
	bool held, lost, encrypted;
	struct clip *prompt;
	struct format fmt; /**< of the caller */
	char caller[128];
	char zone[CONFIG_MAX_NAME]; /**< "" = a code's, or not named yet */
	char code[CONFIG_MAX_NAME]; /**< that he dialled, "" = a zone's number
				     */
	struct sockaddr_storage from;
	struct oneway_facts sound; /**< where it is to come from, and to */
	struct entry entry;
	uint8_t wrong;
	bool code_open, zone_open; /**< its PIN was right, or it has none */
	char why[160];             /**< to end in the next turn, "" = no */
	char said[64];           /**< of one that is told how it ended: that */
	const char *said_header; /**< and what its BYE says then, or NULL */
	char header[192];
	int64_t since_wall_us;
	uint64_t at_us;
	struct tmr end, hold, go, key; /**< go: also the end of what is said */
};

enum leg_state { LEG_FREE, LEG_BUSY, LEG_CLOSING };

struct paging {
	struct media *media;
	struct broadcasts *broadcasts;
	struct stored *stored;
	struct recorder *recorder;
	struct faults *faults;
	struct oneway *oneway;
	struct help *help;
	struct alarms *alarms;
	struct pins *pins;
	const struct config *config;
	struct library *library;
	struct page *page[MEDIA_CALL_LEGS];
	struct {
		enum leg_state state;
		struct clip *prompt; /**< of a call that is gone already */
	} leg[MEDIA_CALL_LEGS];
	struct log_rate strangers;
};

/** "call:17", for records. */
void page_subject(const struct page *x, char buf[40]);

/** A name, NULL when it is empty. */
static inline const char *page_known(const char *name)
{
	return *name ? name : NULL;
}

/** Is he asked for keys? */
static inline bool page_asks(const struct page *x)
{
	return x->state == PAGE_ASKS_PIN || x->state == PAGE_ASKS_ZONE;
}

/** Ends the call in the next turn: safe from within any handler. header: a line
 *  for its BYE, NULL = none. */
void page_end_soon(struct page *x, const char *header, const char *why);

/** What the caller hears: a tone of the table, NULL = silence; cycles 0 = until
 *  another. */
void page_prompt(struct page *x, const char *tone, uint32_t cycles);

/** The call ends behind this tone. */
void page_last_tone(struct page *x, const char *tone, uint32_t cycles,
		    const char *why);

/** Why this zone may not be paged, NULL = it may. */
const char *page_forbidden(const struct paging *p,
			   const struct config_peer *peer, int rank, int zone);

/** Could it sound now? Fills *a when not. */
bool page_probe(struct paging *p, struct page *x, int zone,
		struct page_answer *a);

/** Begins the page: of who was asked for all there is to ask. */
void page_start(struct page *x, int zone);

/** A key of one who is recorded. */
void page_recorded_key(struct page *x, char key);

/**
 * Goes on with a call that was answered: first what must be asked of him is
 * asked, one after the other, then what he called for is done.
 */
void page_proceed(struct page *x);

/** A key, in one of the ways it may come. */
void page_key(struct page *x, enum entry_way way, char key);

/** What is heard while keys are asked for. */
#define ENTER_TONE "enter"

#endif
