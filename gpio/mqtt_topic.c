/* Topic filters, MQTT v5 section 4.7: libmosquitto's own matcher, which also
 * keeps wildcards away from topics that begin with '$' (4.7.2). */
#include "gpio/mqtt.h"

#include <mosquitto.h>

bool mqtt_topic_match(const char *filter, const char *topic)
{
	bool match = false;

	if (!filter || !topic || mosquitto_sub_topic_check(filter) ||
	    mosquitto_pub_topic_check(topic))
		return false;
	return !mosquitto_topic_matches_sub(filter, topic, &match) && match;
}
