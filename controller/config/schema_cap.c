/* Public alerts. */
#include "rows.h"

const char *const schema_cap_kinds[] = {
	[CAP_FOLDER] = "folder", [CAP_URL] = "url", NULL};

#define SEVERITY(word, index, value)                                           \
	{                                                                      \
		.name = #word, .type = TYPE_SPECIAL,                           \
		FIELD(config_cap, level[index]), .def = value,                 \
		.set = set_cap_level, .show = show_##word,                     \
		.allowed = "a priority class, 0 to 255, or \"off\"",           \
		.help = "Priority of alerts of the severity " #word "."        \
	}

const struct config_key schema_cap[] = {
	{.name = "folder",
	 .type = TYPE_SPECIAL,
	 FIELD(config_cap, folder),
	 .variants = ~0u,
	 .set = set_cap_folder,
	 .allowed = "a path",
	 .help = "Folder into which somebody puts files NAME.xml or NAME.cap, "
		 "at best by renaming. At most 1000 of them are read, at once "
		 "and every `poll`; they are left there. A cap section has "
		 "exactly one of folder and url."},
	{.name = "url",
	 .type = TYPE_SPECIAL,
	 FIELD(config_cap, url),
	 .variants = ~0u,
	 .set = set_cap_url,
	 .allowed = "an address that begins with https:// or http://",
	 .help = "An alert, an Atom or RSS feed of alerts or of links to "
		 "them, or a text with an address in each line; at most 200 "
		 "links. One that was read well is not asked for again while "
		 "the feed shows it."},
	{.name = "ca",
	 .type = TYPE_FILE,
	 FIELD(config_cap, ca),
	 .variants = 1u << CAP_URL,
	 .defaults = "the system's",
	 .help = "Authorities (PEM) that the server's certificate is checked "
		 "against."},
	{.name = "poll",
	 .type = TYPE_DURATION,
	 FIELD(config_cap, poll_s),
	 .unit_ms = 1000,
	 .min = 5e3,
	 .max = DAY,
	 .def = "60s",
	 .help = "How often it is looked at; a folder also when it changes."},
	{.name = "zones",
	 .type = TYPE_REFS,
	 FIELD(config_cap, zones),
	 OTHER(config_cap, n_zones),
	 .kind = KIND_ZONE,
	 .help = "Where alerts are heard: all of them, or with area sections "
		 "those for areas without zones of their own."},
	{.name = "max-age",
	 .type = TYPE_DURATION,
	 FIELD(config_cap, max_age_s),
	 .unit_ms = 1000,
	 .min = MINUTE,
	 .max = 7 * DAY,
	 .def = "30m",
	 .help = "An alert sent longer ago starts nothing; one that takes "
		 "effect later may start for so long after that."},
	{.name = "senders",
	 .type = TYPE_SPECIALS,
	 FIELD(config_cap, senders),
	 OTHER(config_cap, n_senders),
	 .set = set_list,
	 .max = 50,
	 .allowed = "texts as alerts have them in <sender>",
	 .help = "The only senders that are heard; all when it is left out."},
	{.name = "status",
	 .type = TYPE_SPECIALS,
	 FIELD(config_cap, status),
	 OTHER(config_cap, n_status),
	 .set = set_list,
	 .max = 3,
	 .allowed = "\"actual\", \"exercise\" and \"test\"; drafts and what is "
		    "for systems is never heard",
	 .defaults = "{ \"actual\" }",
	 .help = "Which alerts are heard by their status."},
	{.name = "exercise-text",
	 .type = TYPE_SPECIAL,
	 FIELD(config_cap, exercise),
	 .set = set_text_spoken,
	 .def = "This is an exercise.",
	 .allowed = SPOKEN_ALLOWED,
	 .help = "Said first of an alert that is not actual."},
	SEVERITY(extreme, 0, "alert"),
	SEVERITY(severe, 1, "urgent"),
	SEVERITY(moderate, 2, "page"),
	SEVERITY(minor, 3, "off"),
	SEVERITY(unknown, 4, "off"),
	{.name = "urgency",
	 .type = TYPE_SPECIALS,
	 FIELD(config_cap, urgency),
	 OTHER(config_cap, n_urgency),
	 .set = set_list,
	 .max = 5,
	 .allowed = "\"immediate\", \"expected\", \"future\", \"past\" and "
		    "\"unknown\"",
	 .defaults = "{ \"immediate\", \"expected\" }",
	 .help = "Which are heard by their urgency."},
	{.name = "certainty",
	 .type = TYPE_SPECIALS,
	 FIELD(config_cap, certainty),
	 OTHER(config_cap, n_certainty),
	 .set = set_list,
	 .max = 5,
	 .allowed = "\"observed\", \"likely\", \"possible\", \"unlikely\" and "
		    "\"unknown\"",
	 .defaults = "{ \"observed\", \"likely\" }",
	 .help = "Which are heard by their certainty."},
	{.name = "languages",
	 .type = TYPE_SPECIALS,
	 FIELD(config_cap, languages),
	 OTHER(config_cap, n_languages),
	 .set = set_list,
	 .max = 10,
	 .allowed = "languages like \"de\", or with a voice, like "
		    "\"en=en-gb\"",
	 .help = "Of the info blocks that fit, the first in these languages is "
		 "spoken, with the voice named; else the first."},
	{.name = "message",
	 .type = TYPE_REFS,
	 FIELD(config_cap, message),
	 OTHER(config_cap, n_message),
	 .kind = KIND_MESSAGE,
	 .max = 1,
	 .help = "What sounds instead of headline and instruction being "
		 "spoken."},
	{.name = "tone",
	 .type = TYPE_SPECIAL,
	 FIELD(config_cap, tone),
	 .set = set_tone,
	 .min = 1,
	 .def = "chime-2",
	 .allowed = "the name of a tone",
	 .help = "Tone before the words, and alone when they cannot be "
		 "spoken."},
	{.name = "repeat",
	 .type = TYPE_NUMBER,
	 FIELD(config_cap, repeat),
	 .min = 1,
	 .max = 1000,
	 .unit = "times",
	 .def = "2",
	 .help = "How often it is heard; never after it has expired."},
	{0},
};

static const struct config_key area_keys[] = {
	{.name = "geocodes",
	 .type = TYPE_SPECIALS,
	 FIELD(config_cap_area, geocodes),
	 OTHER(config_cap_area, n_geocodes),
	 .set = set_list,
	 .max = 200,
	 .allowed = "\"NAME=VALUE\" as alerts have them, like "
		    "\"SAME=006109\"; * and ? as in file names",
	 .help = "Alerts with one of these geocodes are for this area."},
	{.name = "match",
	 .type = TYPE_SPECIALS,
	 FIELD(config_cap_area, match),
	 OTHER(config_cap_area, n_match),
	 .set = set_list,
	 .max = 50,
	 .allowed = "texts with * and ? as in file names, like \"*Munich*\"",
	 .help = "Alerts whose areaDesc fits one of these are for it."},
	{.name = "location",
	 .type = TYPE_SPECIAL,
	 FIELD(config_cap_area, latitude),
	 .set = set_location,
	 .show = show_location,
	 .allowed = "latitude and longitude in degrees, like \"48.14,11.58\"",
	 .help = "Alerts with a polygon or circle around this place are for "
		 "it."},
	{.name = "zones",
	 .type = TYPE_REFS,
	 FIELD(config_cap_area, zones),
	 OTHER(config_cap_area, n_zones),
	 .kind = KIND_ZONE,
	 .defaults = "the section's",
	 .help = "Where they are heard."},
	{0},
};

const struct config_section schema_cap_subs[] = {
	{.name = "area",
	 .title = "NAME",
	 .place = PLACE_NESTED,
	 .size = sizeof(struct config_cap_area),
	 .max = CONFIG_MAX_CAP_AREAS,
	 .open = open_cap_area,
	 .nth = nth_cap_area,
	 .at = offsetof(struct config_cap_area, at),
	 .name_at = offsetof(struct config_cap_area, name),
	 .keys = area_keys,
	 .help = "A place alerts are heard for, by geocode, name or position; "
		 "with area sections all others are not heard."},
	{0},
};
