/**
 * A call for help, from its coming in to its end: a table of state and event.
 * Pure: no clock, no I/O; tests/model walks all of it.
 */
#ifndef TOCSIN_HELP_FLOW_H
#define TOCSIN_HELP_FLOW_H

#include <stdbool.h>

enum help_state {
	HELP_NONE,     /**< no call */
	HELP_OFFERED,  /**< answered; its sound is not there yet */
	HELP_WAITING,  /**< hears the comfort message, operators are rung */
	HELP_TALKING,  /**< an operator has it */
	HELP_YIELDING, /**< its operator is needed elsewhere: both hear so */
	HELP_ENDING,   /**< hung up on; SIP has yet to tell that it is over */
	HELP_STATES
};

enum help_event {
	HELP_EV_OFFERED, /**< a help point calls, and is answered */
	HELP_EV_SOUND,   /**< its sound can come and go */
	HELP_EV_TAKEN,   /**< an operator takes it */
	HELP_EV_LEFT,    /**< who had it hung up */
	HELP_EV_LOST,    /**< who had it is gone without a word */
	HELP_EV_WANTED,  /**< who has it is needed by what is more urgent */
	HELP_EV_CEDED,   /**< both have heard that */
	HELP_EV_VAIN,    /**< nobody has taken it in a whole round */
	HELP_EV_END,     /**< somebody ends it from here */
	HELP_EV_CLOSED,  /**< the point's call is over */
	HELP_EVENTS
};

/** What is to be done, in this order. */
enum help_do {
	HELP_DO_UNQUEUE = 1 << 0,  /**< nobody is rung for it any more */
	HELP_DO_RELEASE = 1 << 1,  /**< the operator is hung up on */
	HELP_DO_BRIDGE = 1 << 2,   /**< point and operator hear one another */
	HELP_DO_PART = 1 << 3,     /**< each hears why, and not the other */
	HELP_DO_QUEUE = 1 << 4,    /**< comfort message; operators are rung */
	HELP_DO_ESCALATE = 1 << 5, /**< a fault, and its alarms */
	HELP_DO_HANG_UP = 1 << 6,  /**< the point is hung up on */
	HELP_DO_FORGET = 1 << 7,   /**< nothing of it stays */
	HELP_DO_LAST = HELP_DO_FORGET
};

/** What is told of it, for journal and MQTT. */
enum help_news {
	HELP_NEWS_NONE,
	HELP_NEWS_OFFERED,
	HELP_NEWS_QUEUED,
	HELP_NEWS_TALKING,
	HELP_NEWS_LOST,
	HELP_NEWS_PREEMPTED,
	HELP_NEWS_UNANSWERED,
	HELP_NEWS_ABANDONED, /**< the point hung up before anybody took it */
	HELP_NEWS_ENDED
};

struct help_flow {
	enum help_state state;
	bool escalated; /**< since it began to wait */
};

struct help_step {
	unsigned todo; /**< bits of enum help_do */
	enum help_news news;
};

/** Takes an event. */
struct help_step help_flow_step(struct help_flow *f, enum help_event ev);

#endif
