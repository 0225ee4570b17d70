#include "pages.h"

#include <openssl/sha.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define HTML "text/html; charset=utf-8"
#define CSS "text/css; charset=utf-8"
#define JS "text/javascript; charset=utf-8"
#define SVG "image/svg+xml"
#define MANIFEST "application/manifest+json"

/** symbol, path, file below web/ui, Content-Type. What is not here is not
 *  served: there is no way to any other file. */
#define PAGES(X)                                                               \
	X(index, "/", "index.html", HTML)                                      \
	X(style, "/ui/style.css", "style.css", CSS)                            \
	X(icon, "/ui/icon.svg", "icon.svg", SVG)                               \
	X(manifest, "/ui/manifest.json", "manifest.json", MANIFEST)            \
	X(app, "/ui/app.js", "app.js", JS)                                     \
	X(api, "/ui/api.js", "api.js", JS)                                     \
	X(live, "/ui/live.js", "live.js", JS)                                  \
	X(store, "/ui/store.js", "store.js", JS)                               \
	X(dom, "/ui/dom.js", "dom.js", JS)                                     \
	X(hold, "/ui/hold.js", "hold.js", JS)                                  \
	X(text, "/ui/text.js", "text.js", JS)                                  \
	X(text_en, "/ui/text-en.js", "text-en.js", JS)                         \
	X(text_de, "/ui/text-de.js", "text-de.js", JS)                         \
	X(text_ru, "/ui/text-ru.js", "text-ru.js", JS)                         \
	X(parts, "/ui/parts.js", "parts.js", JS)                               \
	X(now, "/ui/now.js", "now.js", JS)                                     \
	X(talk, "/ui/talk.js", "talk.js", JS)                                  \
	X(calls, "/ui/calls.js", "calls.js", JS)                               \
	X(plan, "/ui/plan.js", "plan.js", JS)                                  \
	X(changes, "/ui/changes.js", "changes.js", JS)                         \
	X(tune, "/ui/tune.js", "tune.js", JS)                                  \
	X(journal, "/ui/journal.js", "journal.js", JS)                         \
	X(field, "/ui/field.js", "field.js", JS)                               \
	X(sounds, "/ui/sounds.js", "sounds.js", JS)                            \
	X(versions, "/ui/versions.js", "versions.js", JS)

/* Files of their own for people and browsers; put in by the assembler. */
#define X(symbol, path, file, type)                                            \
	__asm__(".section .rodata\n"                                           \
		"page_" #symbol ":\n"                                          \
		".incbin \"web/ui/" file "\"\n"                                \
		"page_end_" #symbol ":\n"                                      \
		".previous\n");                                                \
	extern const char page_##symbol[], page_end_##symbol[];
PAGES(X)
#undef X

#define X(symbol, path, file, type) {path, type, page_##symbol, 0, ""},
static struct page pages[] = {PAGES(X)};
#undef X

#define X(symbol, path, file, type) page_end_##symbol,
static const char *const ends[] = {PAGES(X)};
#undef X

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void measure(void)
{
	unsigned char digest[SHA256_DIGEST_LENGTH];

	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		struct page *p = &pages[i];

		p->len = (size_t)(ends[i] - p->data);
		SHA256((const unsigned char *)p->data, p->len, digest);
		for (size_t k = 0; k < sizeof(p->etag) / 2; k++)
			snprintf(p->etag + 2 * k, 3, "%02x", digest[k]);
	}
}

const struct page *pages_find(const char *path)
{
	pthread_once(&once, measure);
	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++)
		if (!strcmp(pages[i].path, path))
			return &pages[i];
	return NULL;
}

bool pages_fresh(const struct page *p, const char *if_none_match)
{
	char quoted[sizeof(p->etag) + 2];

	if (!if_none_match)
		return false;
	snprintf(quoted, sizeof(quoted), "\"%s\"", p->etag);
	return strstr(if_none_match, quoted) || !strcmp(if_none_match, "*");
}
