#include "controller/help/flow.h"

#define DO(x) HELP_DO_##x

struct cell {
	enum help_state next;
	unsigned todo;
	enum help_news news;
};

/** Nothing to be done: it cannot happen there, or comes too late. */
#define STAYS(s)                                                               \
	{                                                                      \
		HELP_##s, 0, HELP_NEWS_NONE                                    \
	}
/** An operator who takes what nobody waits with any more is let go. */
#define TOO_LATE(s)                                                            \
	{                                                                      \
		HELP_##s, DO(RELEASE), HELP_NEWS_NONE                          \
	}

static const struct cell table[HELP_STATES][HELP_EVENTS] =
	{
		[HELP_NONE] =
			{
				[HELP_EV_OFFERED] = {HELP_OFFERED, 0,
						     HELP_NEWS_OFFERED},
				[HELP_EV_SOUND] = STAYS(NONE),
				[HELP_EV_TAKEN] = TOO_LATE(NONE),
				[HELP_EV_LEFT] = STAYS(NONE),
				[HELP_EV_LOST] = STAYS(NONE),
				[HELP_EV_WANTED] = STAYS(NONE),
				[HELP_EV_CEDED] = STAYS(NONE),
				[HELP_EV_VAIN] = STAYS(NONE),
				[HELP_EV_END] = STAYS(NONE),
				[HELP_EV_CLOSED] = STAYS(NONE),
			},
		[HELP_OFFERED] =
			{
				[HELP_EV_OFFERED] = STAYS(OFFERED),
				[HELP_EV_SOUND] = {HELP_WAITING, DO(QUEUE),
						   HELP_NEWS_QUEUED},
				[HELP_EV_TAKEN] = TOO_LATE(OFFERED),
				[HELP_EV_LEFT] = STAYS(OFFERED),
				[HELP_EV_LOST] = STAYS(OFFERED),
				[HELP_EV_WANTED] = STAYS(OFFERED),
				[HELP_EV_CEDED] = STAYS(OFFERED),
				[HELP_EV_VAIN] = STAYS(OFFERED),
				[HELP_EV_END] = {HELP_ENDING, DO(HANG_UP),
						 HELP_NEWS_ENDED},
				[HELP_EV_CLOSED] = {HELP_NONE, DO(FORGET),
						    HELP_NEWS_ABANDONED},
			},
		[HELP_WAITING] =
			{
				[HELP_EV_OFFERED] = STAYS(WAITING),
				[HELP_EV_SOUND] = STAYS(WAITING),
				[HELP_EV_TAKEN] = {HELP_TALKING, DO(BRIDGE),
						   HELP_NEWS_TALKING},
				[HELP_EV_LEFT] = STAYS(WAITING),
				[HELP_EV_LOST] = STAYS(WAITING),
				[HELP_EV_WANTED] = STAYS(WAITING),
				[HELP_EV_CEDED] = STAYS(WAITING),
				[HELP_EV_VAIN] = {HELP_WAITING, DO(ESCALATE),
						  HELP_NEWS_UNANSWERED},
				[HELP_EV_END] = {HELP_ENDING,
						 DO(UNQUEUE) | DO(HANG_UP),
						 HELP_NEWS_ENDED},
				[HELP_EV_CLOSED] = {HELP_NONE,
						    DO(UNQUEUE) | DO(FORGET),
						    HELP_NEWS_ABANDONED},
			},
		[HELP_TALKING] =
			{
				[HELP_EV_OFFERED] = STAYS(TALKING),
				[HELP_EV_SOUND] = STAYS(TALKING),
				/* One has it: it is told of the first only. */
				[HELP_EV_TAKEN] = STAYS(TALKING),
				[HELP_EV_LEFT] = {HELP_ENDING,
						  DO(UNQUEUE) | DO(HANG_UP),
						  HELP_NEWS_ENDED},
				[HELP_EV_LOST] = {HELP_WAITING,
						  DO(UNQUEUE) | DO(QUEUE),
						  HELP_NEWS_LOST},
				[HELP_EV_WANTED] = {HELP_YIELDING, DO(PART),
						    HELP_NEWS_PREEMPTED},
				[HELP_EV_CEDED] = STAYS(TALKING),
				[HELP_EV_VAIN] = STAYS(TALKING),
				[HELP_EV_END] = {HELP_ENDING,
						 DO(RELEASE) | DO(HANG_UP),
						 HELP_NEWS_ENDED},
				[HELP_EV_CLOSED] = {HELP_NONE,
						    DO(RELEASE) | DO(FORGET),
						    HELP_NEWS_ENDED},
			},
		[HELP_YIELDING] =
			{
				[HELP_EV_OFFERED] = STAYS(YIELDING),
				[HELP_EV_SOUND] = STAYS(YIELDING),
				[HELP_EV_TAKEN] = STAYS(YIELDING),
				/* He goes where he is needed: no end of it. */
				[HELP_EV_LEFT] = {HELP_WAITING,
						  DO(UNQUEUE) | DO(QUEUE),
						  HELP_NEWS_QUEUED},
				[HELP_EV_LOST] = {HELP_WAITING,
						  DO(UNQUEUE) | DO(QUEUE),
						  HELP_NEWS_LOST},
				[HELP_EV_WANTED] = STAYS(YIELDING),
				[HELP_EV_CEDED] = {HELP_WAITING,
						   DO(RELEASE) | DO(QUEUE),
						   HELP_NEWS_QUEUED},
				[HELP_EV_VAIN] = STAYS(YIELDING),
				[HELP_EV_END] = {HELP_ENDING,
						 DO(RELEASE) | DO(HANG_UP),
						 HELP_NEWS_ENDED},
				[HELP_EV_CLOSED] = {HELP_NONE,
						    DO(RELEASE) | DO(FORGET),
						    HELP_NEWS_ENDED},
			},
		[HELP_ENDING] =
			{
				[HELP_EV_OFFERED] = STAYS(ENDING),
				[HELP_EV_SOUND] = STAYS(ENDING),
				[HELP_EV_TAKEN] = TOO_LATE(ENDING),
				[HELP_EV_LEFT] = STAYS(ENDING),
				[HELP_EV_LOST] = STAYS(ENDING),
				[HELP_EV_WANTED] = STAYS(ENDING),
				[HELP_EV_CEDED] = STAYS(ENDING),
				[HELP_EV_VAIN] = STAYS(ENDING),
				[HELP_EV_END] = STAYS(ENDING),
				[HELP_EV_CLOSED] = {HELP_NONE, DO(FORGET),
						    HELP_NEWS_NONE},
			},
};

struct help_step help_flow_step(struct help_flow *f, enum help_event ev)
{
	const struct cell *c = &table[f->state][ev];
	struct help_step s = {c->todo, c->news};

	/* Once for each time it waits. */
	if (s.todo & DO(ESCALATE) && f->escalated)
		s = (struct help_step){0, HELP_NEWS_NONE};
	if (s.todo & DO(ESCALATE))
		f->escalated = true;
	if (s.todo & (DO(QUEUE) | DO(FORGET)))
		f->escalated = false;
	f->state = c->next;
	return s;
}
