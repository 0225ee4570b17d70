/**
 * The one table of all sections and keys.
 *
 * From it come what libconfuse is given to read, the checks of single values,
 * "what is allowed" in error texts, the defaults, --dump-config and the
 * reference page. A new key is a row in schema_*.c; a new section is a table of
 * rows, a struct in config.h and its place in schema.c.
 */
#ifndef TOCSIN_CONFIG_SCHEMA_H
#define TOCSIN_CONFIG_SCHEMA_H

#include "controller/config/config.h"

struct load;
struct scan_node;
struct config_key;
struct config_section;

/** What others may refer to by name. */
enum config_kind {
	KIND_NONE,
	KIND_PEER,
	KIND_ENDPOINT,
	KIND_ACCOUNT,
	KIND_CODE,
	KIND_ZONE,
	KIND_SOURCE,
	KIND_MUSIC,
	KIND_MESSAGE,
	KIND_MODE,
	KIND_INPUT,
	KIND_OUTPUT,
	KIND_ALARM,
	KIND_USER,
	KIND_TOKEN,
	KIND_BUS,
	KIND_CALENDAR,
	KIND_SCHEDULE,
	KIND_OPERATORS,
	KIND_HELPPOINT,
	KIND_WEBHOOK,
	KIND_NOTIFY,
	KIND_CAP,
	KIND_COUNT
};

enum config_type {
	TYPE_TEXT,     /**< char *; max = bytes */
	TYPE_NAME,     /**< char *, as value_name() */
	TYPE_FLAG,     /**< bool */
	TYPE_NUMBER,   /**< unsigned field of `size` bytes; `other` as below */
	TYPE_REAL,     /**< double; `other` = bool that says it was given, or
			  0 */
	TYPE_DURATION, /**< unsigned field; min and max in ms */
	TYPE_GAIN,     /**< int16_t centibels; min and max in dB */
	TYPE_LEVEL,    /**< uint8_t priority */
	TYPE_CHOICE,   /**< index into `choices`, field of `size` bytes */
	TYPE_PATH,     /**< char *, made absolute */
	TYPE_FILE,     /**< the same, and it must be readable */
	TYPE_FILES,    /**< char **; `other` = size_t count */
	TYPE_REF,      /**< int, an index into `kind` */
	TYPE_REFS,     /**< int *; `other` = size_t count */
	TYPE_HOURS,    /**< struct window *; `other` = size_t count */
	TYPE_SPECIAL,  /**< as set() and show() do */
	TYPE_SPECIALS, /**< the same, a list */
};

/** Values of one key as they were written, with their place. */
struct config_value {
	const struct config_key *key;
	struct config_where at;
	const char *where; /**< "zone \"hall\": gain", for error texts */
	const char *const *v;
	size_t n;
	bool given; /**< false: v is the table's default */
};

/** Writes a text in quotes, such that it is read as the same. */
void schema_quote(FILE *f, const char *s);

/** Writes a number with as few decimals as it needs to be read as the same. */
void schema_real(FILE *f, double v);

/** Puts the values into the object; errors go to the load's problems. */
typedef void(config_set_h)(struct load *l, void *obj,
			   const struct config_value *val);

/** Writes the value as it would be configured: `"10m"`; nothing when it need
 *  not be written. Returns false for nothing. */
typedef bool(config_show_h)(const struct config *c, const void *obj, FILE *f);

struct config_key {
	const char *name;
	enum config_type type;
	bool required;
	unsigned variants; /**< bits of the kinds of the object it belongs to,
			      0 = all; see variant_at */
	size_t offset, size, other;
	double min, max;
	unsigned unit_ms;     /**< of a duration field, 0 = 1 */
	const char *unit;     /**< of a number, for texts */
	const char *def;      /**< as written; NULL = none */
	const char *defaults; /**< in words, where def cannot say it */
	const char *const *choices;
	enum config_kind kind;
	bool star; /**< TYPE_REFS: "*" stands for all, kept as no entry */
	const char *allowed; /**< in words, where the type does not say it */
	config_set_h *set;
	config_show_h *show;
	const char *help;
};

/** Where the objects of a section live. */
enum config_place {
	PLACE_SINGLE, /**< one, at `offset` of struct config */
	PLACE_ARRAY,  /**< `offset` holds the array, `count` its length */
	PLACE_NESTED, /**< open() makes it within its parent */
};

/** Checks and stores what a titled section's title says. */
typedef void(config_title_h)(struct load *l, void *obj,
			     const struct config_value *title);

/** The object of a nested section, NULL when there is no room (reported). */
typedef void *(config_open_h)(struct load *l, void *parent,
			      const struct scan_node *n);

/** The i-th nested object of a parent, NULL behind the last. */
typedef const void *(config_nth_h)(const struct config *c, const void *parent,
				   size_t i);

struct config_section {
	const char *name;
	const char *title; /**< what the title is; NULL = has none */
	enum config_place place;
	enum config_kind kind;
	size_t offset, count, size, at, name_at;
	size_t max;             /**< of them in all */
	config_title_h *titleh; /**< NULL: a name by value_name() */
	config_open_h *open;    /**< PLACE_NESTED */
	config_nth_h *nth;      /**< the same, for the dump */
	size_t variant_at;      /**< of the object's kind, 0 = it has none */
	const char *const *variants;       /**< the key that makes each kind */
	const struct config_key *keys;     /**< ends with a row without name */
	const struct config_section *subs; /**< the same; NULL = none */
	const char *help;
};

/** The whole language: keys of the top and sections. */
extern const struct config_section config_schema;

/** NULL when there is none of that name. */
const struct config_key *schema_key(const struct config_section *s,
				    const char *name);
const struct config_section *schema_section(const struct config_section *s,
					    const char *name);

/** The section whose objects are of this kind. */
const struct config_section *schema_kind(enum config_kind kind);

/** Is the key's value a list? */
bool schema_is_list(const struct config_key *k);

/** "a zone", "an input", ...: for error texts. */
const char *schema_kind_name(enum config_kind kind);

/** Says in words what a key may be. Returns buf. */
char *schema_allowed(const struct config_key *k, char *buf, size_t size);

/** The index-th object of a PLACE_ARRAY section. */
void *schema_object(const struct config *c, const struct config_section *s,
		    size_t index);

/** How many objects a PLACE_ARRAY section has. */
size_t schema_count(const struct config *c, const struct config_section *s);

#endif
