/* Messages, and how texts are spoken. */
#include "rows.h"

static const struct config_key say_keys[] = {
	{.name = "text",
	 .type = TYPE_SPECIAL,
	 FIELD(config_part, text),
	 .set = set_text_spoken,
	 .allowed = SPOKEN_ALLOWED,
	 .help = "What is said."},
	{.name = "voice",
	 .type = TYPE_SPECIAL,
	 FIELD(config_part, voice),
	 .set = set_voice,
	 .defaults = "as in the speech section",
	 .allowed = VOICE_ALLOWED,
	 .help = "Voice that says it; espeak-ng names them by language."},
	{.name = "file",
	 .type = TYPE_FILE,
	 FIELD(config_part, file),
	 .help = "An audio file in place of a text."},
	{0},
};

const struct config_section schema_message_subs[] = {
	{.name = "say",
	 .title = "LABEL",
	 .place = PLACE_NESTED,
	 .size = sizeof(struct config_part),
	 .at = offsetof(struct config_part, at),
	 .name_at = offsetof(struct config_part, name),
	 .open = open_say,
	 .nth = nth_say,
	 .keys = say_keys,
	 .max = 32,
	 .help = "A part of the message, after its files and text: one "
		 "language after the other, in the order they stand. Give it "
		 "either text or file. The label is for people, but for a "
		 "first "
		 "one called \"attention\" in a message without tone, file and "
		 "text: it stands for the tone. At level 200 and above it must "
		 "last 3s to 10s (ISO 7240-16 7.2.2); where it does not, which "
		 "of a text shows when it is spoken, din-33404-3 sounds for 3s "
		 "in its place, and that is a fault."},
	{0},
};

const struct config_key schema_message[] = {
	{.name = "chime",
	 .type = TYPE_SPECIAL,
	 FIELD(config_message, chime),
	 .set = set_tone,
	 .min = 1,
	 .allowed = "the name of a tone",
	 .help = "Tone that is played once, first of all, like \"chime-2\"."},
	{.name = "tone",
	 .type = TYPE_SPECIAL,
	 FIELD(config_message, tone),
	 .set = set_tone,
	 .min = 1,
	 .allowed = "the name of a tone",
	 .help = "Tone before the words, or alone. The names are listed under "
		 "TONES. At level 200 and above it should last 3s to 10s (ISO "
		 "7240-16 7.2.2)."},
	{.name = "tone-for",
	 .type = TYPE_DURATION,
	 FIELD(config_message, tone_ms),
	 .max = 600e3,
	 .def = "0s",
	 .help = "Length of the tone, rounded up to its whole cycles; 0 = one "
		 "cycle."},
	{.name = "file",
	 .type = TYPE_FILES,
	 FIELD(config_message, files),
	 OTHER(config_message, n_files),
	 .max = 32,
	 .allowed = "one path or a list of at most 32",
	 .help = "Audio files (WAV, FLAC, Ogg, MP3, AIFF, AU), played in "
		 "order. A silent, clipped or truncated one is refused."},
	{.name = "text",
	 .type = TYPE_SPECIAL,
	 FIELD(config_message, text),
	 .set = set_text_spoken,
	 .allowed = SPOKEN_ALLOWED,
	 .help = "Words to be spoken, after the files. They are rendered when "
		 "the configuration is loaded; while that fails it is a fault, "
		 "and the tone sounds in their place."},
	{.name = "voice",
	 .type = TYPE_SPECIAL,
	 FIELD(config_message, voice),
	 .set = set_voice,
	 .defaults = "as in the speech section",
	 .allowed = VOICE_ALLOWED,
	 .help = "Voice of the text."},
	{.name = "upload",
	 .type = TYPE_FLAG,
	 FIELD(config_message, upload),
	 .def = "false",
	 .help = "Its words are uploaded (tocsinctl messages upload). Until "
		 "they are, its file or text sounds; without those its tone "
		 "alone, which is a fault. Any message's words may be replaced "
		 "by an upload; only one that has none of its own needs "
		 "this."},
	{.name = "pause",
	 .type = TYPE_DURATION,
	 FIELD(config_message, pause_ms),
	 .max = 10e3,
	 .def = "300ms",
	 .help = "Silence between chime, tone, files and texts."},
	{.name = "gap",
	 .type = TYPE_DURATION,
	 FIELD(config_message, gap_ms),
	 .max = HOUR,
	 .def = "0s",
	 .help = "Silence between one repetition and the next. For an alarm "
		 "at level 200 and above at most 10s; up to 30s with gap-tone "
		 "(ISO 7240-16 7.2.2)."},
	{.name = "gap-tone",
	 .type = TYPE_FLAG,
	 FIELD(config_message, gap_tone),
	 .def = "false",
	 .help = "The tone sounds again within the gap, so that no silence is "
		 "longer than 10s."},
	{.name = "loudness",
	 .type = TYPE_SPECIAL,
	 FIELD(config_message, loudness),
	 .set = set_loudness,
	 .show = show_message_loudness,
	 .defaults = "as in the media section",
	 .allowed = LOUDNESS_ALLOWED,
	 .help = "Loudness its files and texts are brought to."},
	{.name = "gain",
	 .type = TYPE_GAIN,
	 FIELD(config_message, gain_cb),
	 .min = -30,
	 .max = 12,
	 .def = "0.0",
	 .help = "Gain of its files and texts over that. Peaks are limited to "
		 "-1 dBTP without a click."},
	{.name = "repeat",
	 .type = TYPE_SPECIAL,
	 FIELD(config_message, cycles),
	 .def = "1",
	 .set = set_repeat,
	 .show = show_repeat,
	 .allowed = "a count from 1 to 100000, a duration like \"10m\", or "
		    "\"until-reset\"",
	 .help = "How often it is played, for how long at least, or until it "
		 "is stopped or its alarm is reset."},
	{0},
};

const struct config_key schema_speech[] = {
	{.name = "command",
	 .type = TYPE_SPECIALS,
	 FIELD(config_speech, command),
	 OTHER(config_speech, n_command),
	 .max = 32,
	 .set = set_command,
	 .show = show_command,
	 .defaults = "espeak-ng, else flite, whichever is installed",
	 .allowed = "a program and its arguments, at most 32, without a shell; "
		    "\"%v\" stands for the voice",
	 .help = "Program that speaks: it reads the text (UTF-8) from its "
		 "standard input and writes an audio file to its standard "
		 "output."},
	{.name = "voice",
	 .type = TYPE_SPECIAL,
	 FIELD(config_speech, voice),
	 .def = "en",
	 .set = set_voice,
	 .allowed = VOICE_ALLOWED,
	 .help = "Voice where a message names none."},
	{.name = "time-limit",
	 .type = TYPE_DURATION,
	 FIELD(config_speech, limit_ms),
	 .min = 500,
	 .max = 20e3,
	 .def = "10s",
	 .help = "Longest the program may take for one text; then it is ended. "
		 "A text sent at level 200 or above waits 3s at most."},
	{.name = "cache",
	 .type = TYPE_NUMBER,
	 FIELD(config_speech, cache_mb),
	 .max = 4096,
	 .unit = "MB",
	 .def = "64",
	 .help = "Spoken texts kept in state-dir/speech; the longest unused "
		 "ones go first. What the configuration names is never spoken "
		 "twice while it is kept."},
	{0},
};
