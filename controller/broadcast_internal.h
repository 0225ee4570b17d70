/** The list of broadcasts, shared by broadcast.c and broadcast_json.c. */
#ifndef TOCSIN_BROADCAST_INTERNAL_H
#define TOCSIN_BROADCAST_INTERNAL_H

#include "broadcast.h"
#include "controller/base/compat.h"

/** One broadcast. Its zones are kept by name: numbers change with reloads. */
struct broadcast {
	uint64_t id, seq;
	char what[80], message[64], actor[80];
	char (*zones)[CONFIG_MAX_NAME];
	size_t n_zones;
	uint8_t level;
	bool live, forever, persist;
	json_t *words; /**< spoken, for a restart; NULL = none */
	bool started;  /**< was heard at least once */
	bool heard;    /**< is heard now */
	bool runs;     /**< its source is told to run */
	bool fresh;    /**< not yet decided on for the first time */
	bool over;     /**< to be taken off the list */
	bool prompted;
	enum arb_background background;
	enum broadcast_resume resume;
	struct arb_set outputs;
	struct clip *clip;
	struct clip *chime;  /**< to be heard before it; NULL = none (now) */
	struct clip *before; /**< recorded: its chime, for it begins again */
	uint64_t quiet_us;   /**< live: kept silent until then */
	bool chimed;         /**< had a chime, which is over */
	bool told_open;      /**< and its owner knows */
	bool sent;           /**< its first packet was told */
	uint32_t cycles, wait_ms, lost_ms;
	struct quiet_volume quiet;
	unsigned leg;
	uint64_t deadline; /**< while it waits */
	uint64_t ends_us;  /**< max_ms, 0 = never */
	uint64_t at_us;
	int64_t since_wall_us;
	uint64_t event; /**< broadcast.requested */
	int slot;       /**< -1 = has no source yet */
	struct arb_row row;
	broadcast_h *h;
	void *arg;
};

/** What an output was last told to carry. */
struct route {
	int16_t fg, bg, duck, volume;
};

enum slot_state { SLOT_FREE, SLOT_BUSY, SLOT_DRAINING };

struct broadcasts {
	struct media *media;
	struct sounds *sounds;
	struct recorder *recorder;
	struct journal *journal;
	const struct config *config;
	struct broadcast *v[BROADCAST_MAX];
	size_t n;
	uint64_t seq;
	struct route route[MEDIA_MAX_OUTPUTS];
	struct amps *amps;
	struct speakers *speakers;
	/** Of zones, by index. */
	int16_t volume[CONFIG_MAX_ZONES];
	struct quiet_volume quiet[CONFIG_MAX_ZONES];
	struct {
		enum slot_state state;
		struct clip *clip;
		uint64_t id;
	} slot[MEDIA_MAX_SLOTS];
	struct tmr tmr;
	struct arb_broadcast row[BROADCAST_MAX + 1];
	struct arb_verdict verdict;
};

/** The broadcast with this id that is not over; NULL when there is none. */
struct broadcast *broadcast_find(const struct broadcasts *b, uint64_t id);

#endif
