#include "kept.h"

#include "controller/journal_db.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void take(const struct state *k, const struct config *c,
		 struct timetable *t, struct changes *s)
{
	const size_t skip = strlen(KEPT_SKIP);
	struct change *change;
	int i;

	if (!strncmp(k->key, KEPT_SKIP, skip)) {
		i = config_schedule_find(c, k->key + skip);
		if (i >= 0)
			timetable_skip(t, (size_t)i,
				       strtoll(k->value, NULL, 10));
	} else if (!strncmp(k->key, KEPT_CHANGE, strlen(KEPT_CHANGE))) {
		change = change_read(k->value);
		if (change && changes_put(s, change))
			change_resolve(change, c);
		else
			change_free(change);
	}
}

int kept_read(const struct config *c, struct timetable *t, struct changes *s,
	      struct reason *why)
{
	struct statemap all = TAILQ_HEAD_INITIALIZER(all);
	struct journal_db *d = NULL;
	const struct state *k;
	char path[1024];
	int err;

	snprintf(path, sizeof(path), "%s/journal.db", c->state_dir);
	if (access(path, F_OK))
		return 0;
	err = journal_db_open(&d, path, true, why);
	if (!err)
		err = journal_db_states(d, &all, why);
	if (!err)
		TAILQ_FOREACH(k, &all, le)
	take(k, c, t, s);
	timetable_changes(t, s);
	statemap_clear(&all);
	journal_db_close(d);
	return err;
}
