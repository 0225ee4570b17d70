/* Background music. */
#include "rows.h"

static const char *const under[] = {"duck", "pause", NULL};

const struct config_key schema_music[] = {
	{.name = "file",
	 .type = TYPE_FILES,
	 FIELD(config_player, files),
	 OTHER(config_player, n_files),
	 .max = 256,
	 .allowed = "one path or a list of at most 256",
	 .help = "Audio files (WAV, FLAC, Ogg, MP3) of any length, played in "
		 "order and again. Music has one of file, folder, stream and "
		 "command."},
	{.name = "folder",
	 .type = TYPE_PATH,
	 FIELD(config_player, folder),
	 .min = 1,
	 .help = "All files of this folder, by name; at most 10,000. It is "
		 "read anew when all were played."},
	{.name = "shuffle",
	 .type = TYPE_FLAG,
	 FIELD(config_player, shuffle),
	 .def = "false",
	 .help = "Files in any order."},
	{.name = "stream",
	 .type = TYPE_TEXT,
	 FIELD(config_player, stream),
	 .min = 1,
	 .max = 255,
	 .help = "URL that ffmpeg plays, like \"http://radio.example/low\"."},
	{.name = "command",
	 .type = TYPE_SPECIALS,
	 FIELD(config_player, command),
	 OTHER(config_player, n_command),
	 .max = CONFIG_MAX_COMMAND,
	 .set = set_music_command,
	 .show = show_music_command,
	 .allowed = "a program and its arguments, at most 32",
	 .help = "Program that writes sound to its standard output: mono, 16 "
		 "bit in the machine's order, at `rate`. {file}, {url} and "
		 "{rate} stand for what is to be played; without file, folder "
		 "and stream it knows by itself. No shell reads it. Default: "
		 "tocsind's own decoder for files, ffmpeg for a stream."},
	{.name = "rate",
	 .type = TYPE_NUMBER,
	 FIELD(config_player, rate),
	 .min = 8000,
	 .max = 48000,
	 .unit = "Hz",
	 .defaults = "the highest of the outputs in its zones",
	 .help = "Samples per second: 8000, 16000, 32000, 44100 or 48000."},
	{.name = "zones",
	 .type = TYPE_REFS,
	 .required = true,
	 FIELD(config_player, zones),
	 OTHER(config_player, n_zones),
	 .kind = KIND_ZONE,
	 .help = "Where it is heard."},
	{.name = "priority",
	 .type = TYPE_LEVEL,
	 FIELD(config_player, level),
	 .def = "music",
	 .help = "Which of two musics a zone hears; it is background sound at "
		 "any priority, and none of an emergency's."},
	{.name = "volume",
	 .type = TYPE_GAIN,
	 FIELD(config_player, volume_cb),
	 .min = -60,
	 .max = 20,
	 .def = "0",
	 .help = "Gain of the music."},
	{.name = "under-page",
	 .type = TYPE_CHOICE,
	 FIELD(config_player, pause),
	 .choices = under,
	 .defaults = "music of the media section",
	 .help = "Under something more urgent it is ducked by media.duck, or "
		 "paused and goes on in its place: this one, whatever "
		 "media.music says of all. Under an emergency it is always "
		 "paused."},
	{.name = "autostart",
	 .type = TYPE_FLAG,
	 FIELD(config_player, autostart),
	 .def = "false",
	 .help = "Plays from the start of the daemon on."},
	{.name = "hours",
	 .type = TYPE_HOURS,
	 FIELD(config_player, hours),
	 OTHER(config_player, n_hours),
	 .max = 20,
	 .help = "Plays within these: it is started when one begins and "
		 "stopped "
		 "when it ends; in between it may be stopped and started by "
		 "hand."},
	{.name = "timezone",
	 .type = TYPE_SPECIAL,
	 FIELD(config_player, timezone),
	 .set = set_own_timezone,
	 .defaults = "the site's",
	 .allowed = "a name below /usr/share/zoneinfo, like \"Europe/Berlin\"",
	 .help = "Time zone of its hours."},
	{.name = "silence",
	 .type = TYPE_DURATION,
	 FIELD(config_player, silence_ms),
	 .max = HOUR,
	 .def = "30s",
	 .help = "So long nothing but silence (-60 dBFS) is a fault, and it "
		 "is started anew; 0 = never."},
	{0},
};
