#include "displays.h"

#include "controller/base/compat.h"
#include "sip/ask.h"
#include "sip/location.h"

#include <stdio.h>
#include <stdlib.h>

struct text {
	struct displays *owner;
	char phone[200], text[DISPLAYS_TEXT], subject[96];
	uint64_t cause;
	unsigned tries;
	struct ask *ask;
	struct tmr again;
};

struct displays {
	struct recorder *recorder;
	struct stack *stack;
	struct text *v[DISPLAYS_MAX];
};

int displays_alloc(struct displays **dp, struct recorder *r)
{
	struct displays *d = calloc(1, sizeof(*d));

	if (!d)
		return ENOMEM;
	d->recorder = r;
	*dp = d;
	return 0;
}

static void forget(struct text *x)
{
	struct displays *d = x->owner;

	tmr_cancel(&x->again);
	ask_end(x->ask);
	for (size_t i = 0; i < DISPLAYS_MAX; i++)
		if (d->v[i] == x)
			d->v[i] = NULL;
	free(x);
}

struct displays *displays_free(struct displays *d)
{
	for (size_t i = 0; d && i < DISPLAYS_MAX; i++)
		if (d->v[i])
			forget(d->v[i]);
	free(d);
	return NULL;
}

void displays_stack(struct displays *d, struct stack *s)
{
	d->stack = s;
}

static void failed(struct text *x, const char *why)
{
	record(x->owner->recorder, EVENT_ALARM_EFFECT_FAILED, x->cause,
	       x->subject, NULL, NULL, "%.80s does not show \"%.60s\": %s",
	       x->phone, x->text, why);
	forget(x);
}

static void attempt(void *arg);

/* No answer, or one that another time may be another. */
static bool worth_again(uint16_t status)
{
	return !status || status == 408 || status == 480 || status >= 500;
}

static void again(struct text *x, const char *why)
{
	static const uint32_t waits[DISPLAYS_TRIES - 1] = DISPLAYS_WAITS_MS;

	if (x->tries >= DISPLAYS_TRIES)
		failed(x, why);
	else
		tmr_start(&x->again, waits[x->tries - 1], attempt, x);
}

static void on_answer(struct ask *a, uint16_t status, void *arg)
{
	struct text *x = arg;
	char why[64];

	(void)a;
	x->ask = NULL;
	if (status >= 200 && status < 300) {
		record(x->owner->recorder, EVENT_ALARM_EFFECT, x->cause,
		       x->subject, NULL, NULL, "%.80s shows \"%.100s\"",
		       x->phone, x->text);
		forget(x);
		return;
	}
	if (status)
		snprintf(why, sizeof(why), "it answers %u%s", status,
			 status == 405   ? " (it takes no messages)"
			 : status == 415 ? " (it takes no text)"
					 : "");
	else
		snprintf(why, sizeof(why), "it does not answer");
	if (worth_again(status))
		again(x, why);
	else
		failed(x, why);
}

static void attempt(void *arg)
{
	struct text *x = arg;
	struct stack *s = x->owner->stack;
	struct bindings b = {.n = 0};
	struct reason why = {""};
	const bool is_uri =
		!strncmp(x->phone, "sip", 3) && strchr(x->phone, ':');

	x->tries++;
	if (!s)
		again(x, "there is no SIP");
	else if (!is_uri && !location_find(s, x->phone, &b))
		again(x, "it is not registered");
	else if (ask_message(&x->ask, s, is_uri ? x->phone : b.v[0].reach,
			     x->text, DISPLAYS_PATIENCE_MS, on_answer, x, &why))
		again(x, why.text);
}

static void begin(struct displays *d, size_t at, const char *phone,
		  const char *text, const char *subject, uint64_t cause)
{
	struct text *x = calloc(1, sizeof(*x));

	if (!x)
		return;
	x->owner = d;
	x->cause = cause;
	snprintf(x->phone, sizeof(x->phone), "%s", phone);
	snprintf(x->text, sizeof(x->text), "%s", text);
	snprintf(x->subject, sizeof(x->subject), "%s", subject);
	tmr_init(&x->again);
	d->v[at] = x;
	/* In the next turn: an alarm's sound comes first. */
	tmr_start(&x->again, 0, attempt, x);
}

void displays_show(struct displays *d, char *const *phones, size_t n,
		   const char *text, const char *subject, uint64_t cause)
{
	for (size_t i = 0; i < n; i++) {
		size_t k = 0;

		for (size_t o = 0; o < DISPLAYS_MAX; o++)
			if (d->v[o] && !strcmp(d->v[o]->phone, phones[i]) &&
			    !strcmp(d->v[o]->subject, subject))
				failed(d->v[o], "something newer is shown");
		while (k < DISPLAYS_MAX && d->v[k])
			k++;
		if (k < DISPLAYS_MAX)
			begin(d, k, phones[i], text, subject, cause);
		else
			record(d->recorder, EVENT_ALARM_EFFECT_FAILED, cause,
			       subject, NULL, NULL,
			       "%.80s does not show \"%.60s\": %d texts are on "
			       "their way already",
			       phones[i], text, DISPLAYS_MAX);
	}
}
