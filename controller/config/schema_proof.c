/* Proof of sound: hear-back, foreign talkers, queriers. */
#include "rows.h"

static const char *const querier_modes[] = {"ask", "listen", "ignore", NULL};

const struct config_key schema_proof[] = {
	{.name = "hear-back",
	 .type = TYPE_FLAG,
	 FIELD(config_proof, hear_back),
	 .def = "true",
	 .help = "Samples of every multicast are heard back where they leave "
		 "the interface, behind the firewall."},
	{.name = "hear-within",
	 .type = TYPE_DURATION,
	 FIELD(config_proof, hear_within_ms),
	 .min = 1e3,
	 .max = 60e3,
	 .def = "3s",
	 .help = "An output that sounds for this long and is not heard is a "
		 "fault. With many outputs on one interface a sample of each "
		 "is taken less often, and it takes up to three of them."},
	{.name = "igmp-querier",
	 .type = TYPE_CHOICE,
	 FIELD(config_proof, querier),
	 .choices = querier_modes,
	 .def = "ask",
	 .help = "What is done to know of an IGMP (MLD) querier on each "
		 "interface with multicasts, other than lo. \"ask\": listen, "
		 "and leave a group of our own now and then, which a querier "
		 "answers: one that is missing is known within igmp-patience. "
		 "\"listen\": send nothing; it takes two of its intervals, 260 "
		 "s by the standard. \"ignore\": none is needed, as in "
		 "networks without a switch that snoops."},
	{.name = "igmp-patience",
	 .type = TYPE_DURATION,
	 FIELD(config_proof, querier_patience_ms),
	 .min = 5e3,
	 .max = 600e3,
	 .def = "90s",
	 .help = "With \"ask\": no query for this long is a fault."},
	{.name = "igmp-ignore",
	 .type = TYPE_SPECIALS,
	 FIELD(config_proof, querier_ignore),
	 OTHER(config_proof, n_querier_ignore),
	 .max = 64,
	 .set = set_querier_ignore,
	 .show = show_querier_ignore,
	 .allowed = "names of interfaces, like { \"eth2\" }",
	 .help = "Interfaces on which no querier is expected."},
	{0},
};
