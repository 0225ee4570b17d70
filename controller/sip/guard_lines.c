#include "guard_lines.h"

#include "controller/sip/guard_real.h"

#include <stdarg.h>
#include <stdio.h>

#define GUARD __attribute__((visibility("default")))
#define MAX_LINES 512

static struct list dialogs;
static unsigned passed;

static struct {
	const struct sip_msg *msg;
	char lines[MAX_LINES];
} answer;

void guard_lines_open(struct guard_lines *g, const struct sip_dialog *dlg,
		      guard_lines_h *h, void *arg)
{
	guard_lines_close(g);
	g->dlg = dlg;
	g->h = h;
	g->arg = arg;
	list_append(&dialogs, &g->le, g);
}

void guard_lines_close(struct guard_lines *g)
{
	list_unlink(&g->le);
}

void guard_lines_answer(const struct sip_msg *msg, const char *lines)
{
	answer.msg = msg;
	snprintf(answer.lines, sizeof(answer.lines), "%s", lines);
}

unsigned guard_lines_passed(void)
{
	return passed;
}

#if GUARD_LINES
GUARD int sip_drequestf(struct sip_request **reqp, struct sip *sip,
			bool stateful, const char *met, struct sip_dialog *dlg,
			uint32_t cseq, struct sip_auth *auth, sip_send_h *sendh,
			sip_resp_h *resph, void *arg, const char *fmt, ...)
{
	__typeof__(&sip_drequestf) real = GUARD_REAL(sip_drequestf);
	char lines[MAX_LINES] = "";
	struct le *le;
	va_list ap;
	int err;

	if (!real)
		return ENOSYS;
	passed++;
	for (le = strcmp(met, "INVITE") ? NULL : list_head(&dialogs); le;
	     le = le->next) {
		const struct guard_lines *g = le->data;

		if (g->dlg == dlg)
			g->h(lines, sizeof(lines), g->arg);
	}
	va_start(ap, fmt);
	err = real(reqp, sip, stateful, met, dlg, cseq, auth, sendh, resph, arg,
		   "%s%v", lines, fmt, &ap);
	va_end(ap);
	return err;
}

GUARD int sip_treplyf(struct sip_strans **stp, struct mbuf **mbp,
		      struct sip *sip, const struct sip_msg *msg,
		      bool rec_route, uint16_t scode, const char *reason,
		      const char *fmt, ...)
{
	__typeof__(&sip_treplyf) real = GUARD_REAL(sip_treplyf);
	const bool ours = answer.msg && answer.msg == msg;
	va_list ap;
	int err;

	answer.msg = NULL;
	if (!real)
		return ENOSYS;
	if (!fmt) /* libre writes the end of the headers then */
		return real(stp, mbp, sip, msg, rec_route, scode, reason, NULL);
	va_start(ap, fmt);
	err = real(stp, mbp, sip, msg, rec_route, scode, reason, "%s%v",
		   ours ? answer.lines : "", fmt, &ap);
	va_end(ap);
	return err;
}
#endif
