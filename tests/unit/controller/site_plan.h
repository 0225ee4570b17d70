/** The site most tests run on: three rooms, messages, inputs, alarms. */
#ifndef TOCSIN_TEST_SITE_PLAN_H
#define TOCSIN_TEST_SITE_PLAN_H

#define PLAN_ZONE_A                                                            \
	"zone \"a\" { multicast \"239.192.9.1:24004\" { codec = \"pcmu\" "     \
	"interface = \"lo\" } }\n"
#define PLAN_ZONE_B                                                            \
	"zone \"b\" { multicast \"239.192.9.2:24004\" { codec = \"pcmu\" "     \
	"interface = \"lo\" } }\n"
#define PLAN_ZONE_C                                                            \
	"zone \"c\" { multicast \"239.192.9.3:24004\" { codec = \"pcmu\" "     \
	"interface = \"lo\" } }\n"
#define PLAN_ZONES                                                             \
	PLAN_ZONE_A PLAN_ZONE_B PLAN_ZONE_C                                    \
		"zone \"ab\" { zones = { \"a\", \"b\" } }\n"
#define PLAN_MESSAGES                                                          \
	"message \"siren\" { tone = \"din-33404-3\" repeat = \"until-reset\" " \
	"}\n"                                                                  \
	"message \"whoop\" { tone = \"nfpa-whoop\" repeat = \"until-reset\" "  \
	"}\n"                                                                  \
	"message \"blip\" { tone = \"go-ahead\" }\n"
#define PLAN_HEAD                                                              \
	"site = \"test\"\nstate-dir = \"state\"\n"                             \
	"media { queue = \"300ms\" realtime-priority = 0 }\n"
#define PLAN_BASE PLAN_HEAD PLAN_ZONES PLAN_MESSAGES

#endif
