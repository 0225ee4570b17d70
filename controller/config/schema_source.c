/* Sound that comes from elsewhere. */
#include "rows.h"

const char *const schema_source_kinds[] = {[SOURCE_MULTICAST] = "multicast",
					   [SOURCE_UNICAST] = "unicast",
					   [SOURCE_POLYCOM] = "polycom",
					   NULL};

static const char *const page_modes[] = {"live", "record-then-play", NULL};

const struct config_key schema_source[] = {
	{.name = "multicast",
	 .type = TYPE_SPECIAL,
	 FIELD(config_source, place),
	 .variants = ~0u,
	 .set = set_source_multicast,
	 .show = show_source_multicast,
	 .allowed = "a group and port, like \"239.1.2.3:5004\"",
	 .help = "RTP that others send to this group. A source has exactly "
		 "one of multicast, unicast and polycom. It must not be an "
		 "output of ours."},
	{.name = "unicast",
	 .type = TYPE_SPECIAL,
	 FIELD(config_source, place),
	 .variants = ~0u,
	 .set = set_source_unicast,
	 .show = show_source_unicast,
	 .allowed = "an address of this machine and a port, like "
		    "\"10.7.0.2:5006\"",
	 .help = "RTP that others send to this address of this machine."},
	{.name = "polycom",
	 .type = TYPE_SPECIAL,
	 FIELD(config_source, place),
	 .variants = ~0u,
	 .set = set_source_polycom,
	 .show = show_source_polycom,
	 .allowed = "the phones' group and port, like \"224.0.1.116:5001\"",
	 .help = "Pages and push-to-talk of Polycom phones, by their own "
		 "protocol; needs group. Frames of 10 to 60 ms, the lost ones "
		 "had from the next packet; codec pcmu or g722 as set on the "
		 "phones (G.726QI is not supported)."},
	{.name = "group",
	 .type = TYPE_NUMBER,
	 FIELD(config_source, group),
	 .variants = 1u << SOURCE_POLYCOM,
	 .min = 1,
	 .max = 50,
	 .help = "Which of the phones' channels is heard, as in the protocol: "
		 "1 to 25 are push-to-talk channels (24 priority, 25 "
		 "emergency), 26 to 50 page groups (49, 50)."},
	{.name = "interface",
	 .type = TYPE_SPECIAL,
	 FIELD(config_source, interface),
	 .variants = 1u << SOURCE_MULTICAST | 1u << SOURCE_POLYCOM,
	 .set = set_interface,
	 .allowed = "the name of a network interface, like \"eth1\"; it need "
		    "not exist yet",
	 .help = "Interface the group is joined on. Must be given for "
		 "multicast; one that comes later is joined then."},
	{.name = "codec",
	 .type = TYPE_CHOICE,
	 FIELD(config_source, fmt.codec),
	 .choices = schema_codecs,
	 .def = "pcmu",
	 .help = "Codec of the stream; nothing in RTP tells it."},
	{.name = "rate",
	 .type = TYPE_NUMBER,
	 .variants = 1u << SOURCE_MULTICAST | 1u << SOURCE_UNICAST,
	 FIELD(config_source, fmt.rate),
	 .min = 8000,
	 .max = 48000,
	 .unit = "Hz",
	 .defaults = "8000; 16000 for l16 and g722, 48000 for opus",
	 .help = "Samples per second; l16 has a choice: 8000, 16000, 32000, "
		 "44100 or 48000."},
	{.name = "payload-type",
	 .type = TYPE_NUMBER,
	 .variants = 1u << SOURCE_MULTICAST | 1u << SOURCE_UNICAST,
	 FIELD(config_source, fmt.pt),
	 .max = 127,
	 .defaults = "the codec's own",
	 .help = "RTP payload type; packets of another are not heard."},
	{.name = "from",
	 .type = TYPE_SPECIALS,
	 FIELD(config_source, from),
	 OTHER(config_source, n_from),
	 .max = MEDIA_MAX_ALLOW,
	 .set = set_from,
	 .show = show_from,
	 .allowed = "addresses or networks, like { \"10.7.5.9\", "
		    "\"10.7.6.0/24\" }",
	 .help = "The only senders that are heard, at most 32; anybody when it "
		 "is left out."},
	{.name = "zones",
	 .type = TYPE_REFS,
	 .required = true,
	 FIELD(config_source, zones),
	 OTHER(config_source, n_zones),
	 .kind = KIND_ZONE,
	 .help = "Where it is heard."},
	{.name = "priority",
	 .type = TYPE_LEVEL,
	 FIELD(config_source, level),
	 .def = "page",
	 .help = "How urgent it is. At music or below it is background sound: "
		 "ducked by what is more urgent."},
	{.name = "hang",
	 .type = TYPE_DURATION,
	 FIELD(config_source, hang_ms),
	 .min = 100,
	 .max = 60e3,
	 .def = "500ms",
	 .help = "So long without a packet, and the talker is over."},
	{.name = "max-page",
	 .type = TYPE_DURATION,
	 FIELD(config_source, max_ms),
	 .max = DAY,
	 .def = "0s",
	 .help = "Longest broadcast of one talker, 0 = no end. Who goes on "
		 "after it is heard again when he has paused for `hang`."},
	{.name = "page-mode",
	 .type = TYPE_CHOICE,
	 FIELD(config_source, record),
	 .choices = page_modes,
	 .def = "live",
	 .help = "record-then-play: what a talker says is recorded, and played "
		 "when he is over, as in a zone of that page-mode and by the "
		 "numbers of the first of `zones`. For phones among the "
		 "loudspeakers. Not at music or below, nor at 200 and above. "
		 "The zones' own page-mode does not count for a source."},
	{0},
};
