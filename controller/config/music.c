/* Music: its keys' values, what they mean together, and copies of it. */
#include "load.h"

#include "controller/base/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

void set_music_command(struct load *l, void *obj,
		       const struct config_value *val)
{
	struct config_player *m = obj;

	m->command = load_calloc(l, val->n + 1, sizeof(*m->command));
	for (size_t i = 0; m->command && i < val->n; i++) {
		m->command[i] = load_strdup(l, val->v[i]);
		m->n_command += m->command[i] != NULL;
	}
	if (!val->n || !*val->v[0])
		load_refuse(l, val, "");
}

bool show_music_command(const struct config *c, const void *obj, FILE *f)
{
	const struct config_player *m = obj;

	(void)c;
	for (size_t i = 0; i < m->n_command; i++) {
		fputs(i ? ", " : "{ ", f);
		schema_quote(f, m->command[i]);
	}
	if (m->n_command)
		fputs(" }", f);
	return m->n_command > 0;
}

/** The highest rate of its outputs: nothing is made that nobody hears. */
static uint32_t best_rate(const struct config *c, const struct config_player *m)
{
	uint32_t rate = 8000;

	for (size_t i = 0; i < m->n_zones; i++)
		for (unsigned k = 0; k < c->n_sounds; k++)
			if (media_set_has(&c->zones[m->zones[i]].outputs, k) &&
			    c->sounds[k].out.fmt.rate > rate)
				rate = c->sounds[k].out.fmt.rate;
	return rate;
}

static void check_one(struct load *l, size_t i)
{
	struct config_player *m = &l->c->musics[i];
	int kinds =
		(m->n_files > 0) + (m->folder != NULL) + (m->stream != NULL);
	struct stat st;

	if (!kinds && !m->n_command && !load_given(l, KIND_MUSIC, i, "file"))
		problem_add(l->p, m->at,
			    "music \"%s\" has nothing to play: give it one of "
			    "\"file\", \"folder\", \"stream\" and \"command\"",
			    m->name);
	if (kinds > 1)
		problem_add(l->p, m->at,
			    "music \"%s\" has more than one of \"file\", "
			    "\"folder\" and \"stream\"; make several musics of "
			    "it",
			    m->name);
	if (m->folder && (stat(m->folder, &st) || !S_ISDIR(st.st_mode)))
		problem_add(l->p, load_at(l, KIND_MUSIC, i, "folder"),
			    "music \"%s\": %s is no folder", m->name,
			    m->folder);
	if (m->shuffle && !m->folder && !m->n_files)
		problem_add(l->p, load_at(l, KIND_MUSIC, i, "shuffle"),
			    "music \"%s\": \"shuffle\" needs \"folder\" or "
			    "\"file\"",
			    m->name);
	if (m->autostart && m->n_hours)
		problem_add(l->p, load_at(l, KIND_MUSIC, i, "autostart"),
			    "music \"%s\" has \"hours\", within which it "
			    "begins by itself: leave \"autostart\" out",
			    m->name);
	if (m->level >= 200)
		problem_add(l->p, load_at(l, KIND_MUSIC, i, "priority"),
			    "music \"%s\": priority %u is an emergency's; "
			    "allowed: 0 to 199",
			    m->name, m->level);
	if (!load_given(l, KIND_MUSIC, i, "under-page"))
		m->pause = l->c->media.music == MUSIC_PAUSE;
	if (!load_given(l, KIND_MUSIC, i, "rate"))
		m->rate = best_rate(l->c, m);
	else if (m->rate != 8000 && m->rate != 16000 && m->rate != 32000 &&
		 m->rate != 44100 && m->rate != 48000)
		problem_add(l->p, load_at(l, KIND_MUSIC, i, "rate"),
			    "music \"%s\": rate %u; allowed: 8000, 16000, "
			    "32000, 44100 and 48000",
			    m->name, m->rate);
}

void load_check_musics(struct load *l)
{
	for (size_t i = 0; i < l->c->n_musics; i++)
		if (!l->node[KIND_MUSIC][i]->damaged)
			check_one(l, i);
}

static bool same_list(char *const *a, size_t n, char *const *b, size_t m)
{
	for (size_t i = 0; n == m && i < n; i++)
		if (strcmp(a[i], b[i]))
			return false;
	return n == m;
}

bool config_music_same(const struct config_player *a,
		       const struct config_player *b)
{
	return same_list(a->files, a->n_files, b->files, b->n_files) &&
	       same_list(a->command, a->n_command, b->command, b->n_command) &&
	       text_same(a->folder, b->folder) &&
	       text_same(a->stream, b->stream) && a->shuffle == b->shuffle &&
	       a->volume_cb == b->volume_cb && a->pause == b->pause &&
	       a->level == b->level && a->rate == b->rate &&
	       a->autostart == b->autostart && a->silence_ms == b->silence_ms;
}

static char **copy_list(char *const *v, size_t n)
{
	char **c = calloc(n + 1, sizeof(*c));

	for (size_t i = 0; c && i < n; i++) {
		c[i] = strdup(v[i]);
		if (c[i])
			continue;
		while (i)
			free(c[--i]);
		free(c);
		return NULL;
	}
	return c;
}

int config_music_copy(struct config_player *to,
		      const struct config_player *from)
{
	*to = *from;
	to->zones = NULL;
	to->n_zones = 0;
	/* Who starts and stops it has them. */
	to->hours = NULL;
	to->n_hours = 0;
	to->timezone = NULL;
	to->name = strdup(from->name);
	to->folder = from->folder ? strdup(from->folder) : NULL;
	to->stream = from->stream ? strdup(from->stream) : NULL;
	to->files = copy_list(from->files, from->n_files);
	to->command = copy_list(from->command, from->n_command);
	if (!to->files)
		to->n_files = 0;
	if (!to->command)
		to->n_command = 0;
	return to->name && to->files && to->command &&
			       !to->folder == !from->folder &&
			       !to->stream == !from->stream
		       ? 0
		       : ENOMEM;
}

void config_music_reset(struct config_player *m)
{
	for (size_t i = 0; i < m->n_files; i++)
		free(m->files[i]);
	for (size_t i = 0; i < m->n_command; i++)
		free(m->command[i]);
	free(m->files);
	free(m->command);
	free(m->name);
	free(m->folder);
	free(m->stream);
	free(m->zones);
	free(m->hours);
	free(m->timezone);
	*m = (struct config_player){0};
}
