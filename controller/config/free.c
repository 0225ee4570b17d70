#include "config.h"

#include <openssl/crypto.h>
#include <stdlib.h>

static void free_texts(char **v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(v[i]);
	free(v);
}

static void free_pin(struct config_pin *p)
{
	free(p->file);
	OPENSSL_cleanse(p->digits, sizeof(p->digits));
}

static void free_zones(struct config *c)
{
	for (size_t i = 0; i < c->n_zones; i++) {
		struct config_zone *z = &c->zones[i];

		free(z->name);
		free(z->extension);
		free(z->chime);
		free(z->quiet);
		free(z->timezone);
		free(z->own);
		free(z->zones);
		free(z->except);
		free(z->relays);
		free_pin(&z->pin);
	}
	for (size_t i = 0; i < c->n_codes; i++) {
		free(c->codes[i].name);
		free(c->codes[i].zones);
		free_pin(&c->codes[i].pin);
	}
	free(c->codes);
	for (size_t i = 0; i < c->n_sounds; i++) {
		free(c->sounds[i].name);
		free(c->sounds[i].interface);
		free(c->sounds[i].fan);
		free(c->sounds[i].caller);
		free(c->sounds[i].key_file);
		free(c->sounds[i].speaker.user);
		free(c->sounds[i].speaker.password_file);
	}
	free(c->zones);
	free(c->sounds);
	for (size_t i = 0; i < c->proof.n_querier_ignore; i++)
		free(c->proof.querier_ignore[i]);
	free(c->proof.querier_ignore);
}

static void free_sources(struct config *c)
{
	for (size_t i = 0; i < c->n_sources; i++) {
		struct config_source *s = &c->sources[i];

		free(s->name);
		free(s->place);
		free(s->interface);
		free(s->from);
		free(s->zones);
	}
	free(c->sources);
}

void config_message_reset(struct config_message *m)
{
	for (size_t k = 0; k < m->n_files; k++)
		free(m->files[k]);
	for (size_t k = 0; k < m->n_parts; k++) {
		free(m->parts[k].name);
		free(m->parts[k].file);
		free(m->parts[k].text);
		free(m->parts[k].voice);
	}
	free(m->files);
	free(m->parts);
	free(m->name);
	free(m->chime);
	free(m->tone);
	free(m->text);
	free(m->voice);
	*m = (struct config_message){0};
}

static void free_messages(struct config *c)
{
	for (size_t i = 0; i < c->n_messages; i++)
		config_message_reset(&c->messages[i]);
	free(c->messages);
	for (size_t i = 0; i < c->speech.n_command; i++)
		free(c->speech.command[i]);
	free(c->speech.command);
	free(c->speech.voice);
}

static void free_field(struct config *c)
{
	for (size_t i = 0; i < c->n_inputs; i++) {
		struct config_input *x = &c->inputs[i];

		free(x->name);
		free(x->webhook);
		free(x->topic);
		free(x->json);
		free(x->match);
		free(x->chip);
		free(x->line);
		free(x->modbus.bus);
		free(x->pair);
		for (size_t s = 0; s < 4; s++) {
			for (size_t k = 0; k < x->n_window[s]; k++)
				free(x->window[s][k]);
			free(x->window[s]);
		}
	}
	for (size_t i = 0; i < c->n_buses; i++)
		free(c->buses[i].name);
	free(c->buses);
	for (size_t i = 0; i < c->n_outputs; i++) {
		struct config_output *x = &c->outputs[i];

		free(x->name);
		free(x->topic);
		free(x->on);
		free(x->off);
		free(x->confirm);
		free(x->confirm_json);
		free(x->confirm_on);
		free(x->confirm_off);
		free(x->interlock);
		free(x->follow);
		free_texts(x->follow_texts, x->n_follow_texts);
		free(x->chip);
		free(x->line);
		free(x->modbus.bus);
	}
	free(c->inputs);
	free(c->outputs);
}

static void free_gate(struct config_gate *g)
{
	free(g->modes);
	free(g->hours);
}

static void free_effect(struct config_effect *e)
{
	free_gate(&e->gate);
	free_texts(e->phases, e->n_phases);
	free_texts(e->command, e->n_command);
	free(e->zones);
	free(e->topic);
	free(e->payload);
	free(e->end_payload);
	free(e->to);
	free(e->text);
	free_texts(e->phones, e->n_phones);
	free(e->end_text);
}

static void free_modes(struct config *c)
{
	for (size_t i = 0; i < c->n_modes; i++) {
		free(c->modes[i].name);
		free(c->modes[i].hours);
		free(c->modes[i].input);
	}
	free(c->modes);
}

static void free_alarms(struct config *c)
{
	for (size_t i = 0; i < c->n_alarms; i++) {
		struct config_alarm *a = &c->alarms[i];

		for (size_t k = 0; k < a->n_effects; k++)
			free_effect(&a->effects[k]);
		free(a->effects);
		for (size_t k = 0; k < a->n_phases; k++) {
			free(a->phases[k].name);
			free(a->phases[k].inputs);
		}
		free(a->phases);
		free_gate(&a->gate);
		free(a->name);
		free(a->inputs);
		free(a->outputs);
	}
	free(c->alarms);
}

static void free_access(struct config *c)
{
	for (size_t i = 0; i < c->n_peers; i++) {
		free(c->peers[i].name);
		free(c->peers[i].zones);
	}
	for (size_t i = 0; i < c->n_endpoints; i++) {
		struct config_endpoint *x = &c->endpoints[i];

		free(x->may.name);
		free(x->may.zones);
		free(x->user);
		free(x->extension);
		free(x->password_file);
		OPENSSL_cleanse(x->password, sizeof(x->password));
	}
	free(c->endpoints);
	for (size_t i = 0; i < c->n_accounts; i++) {
		struct config_account *x = &c->accounts[i];

		free(x->may.name);
		free(x->may.zones);
		free(x->aor);
		for (size_t k = 0; k < x->n_registrars; k++)
			free(x->registrars[k]);
		free(x->registrars);
		free(x->auth_user);
		free(x->password_file);
		free(x->extension);
		OPENSSL_cleanse(x->password, sizeof(x->password));
	}
	free(c->accounts);
	for (size_t i = 0; i < c->n_users; i++) {
		free(c->users[i].name);
		free(c->users[i].password_hash);
		free(c->users[i].zones);
		free(c->users[i].messages);
	}
	free(c->peers);
	free(c->users);
	for (size_t i = 0; i < c->n_tokens; i++) {
		free(c->tokens[i].name);
		free(c->tokens[i].hash);
		free(c->tokens[i].zones);
		free(c->tokens[i].messages);
	}
	free(c->tokens);
}

static void free_schedules(struct config *c)
{
	for (size_t i = 0; i < c->n_operators; i++) {
		struct config_operators *o = &c->operators[i];

		free(o->name);
		free(o->user);
		free(o->password_file);
		OPENSSL_cleanse(o->password, sizeof(o->password));
		for (size_t k = 0; k < o->n_stages; k++) {
			for (size_t r = 0; r < o->stages[k].n_ring; r++)
				free(o->stages[k].ring[r]);
			free(o->stages[k].ring);
			free(o->stages[k].name);
		}
		free(o->stages);
	}
	free(c->operators);
	for (size_t i = 0; i < c->n_helppoints; i++) {
		struct config_helppoint *x = &c->helppoints[i];

		free(x->name);
		free(x->from);
		free(x->user);
		free(x->extension);
		free(x->location);
		free(x->camera);
		free(x->comfort);
		free(x->yield);
		free(x->announce);
		free(x->unanswered);
		free(x->end_keys);
		for (size_t k = 0; k < x->n_doors; k++) {
			free(x->doors[k].name);
			free(x->doors[k].keys);
		}
		free(x->doors);
	}
	free(c->helppoints);
	for (size_t i = 0; i < c->n_calendars; i++) {
		struct config_calendar *x = &c->calendars[i];

		free(x->name);
		free(x->ics);
		free(x->url);
		free_texts(x->match, x->n_match);
		free(x->dates);
		free(x->day_type);
	}
	for (size_t i = 0; i < c->n_schedules; i++) {
		struct config_schedule *x = &c->schedules[i];

		for (size_t k = 0; k < x->n_rules; k++) {
			free(x->rules[k].pattern);
			free(x->rules[k].message);
			free(x->rules[k].zones);
		}
		free(x->rules);
		free(x->name);
		free(x->times);
		free(x->at_times);
		free(x->rrule);
		free(x->dates);
		free(x->events);
		free(x->except);
		free(x->only_on);
		free_texts(x->day_types, x->n_day_types);
		free(x->message);
		free(x->zones);
		free(x->timezone);
		free(x->quiet);
	}
	free(c->calendars);
	free(c->schedules);
}

void config_notify_reset(struct config_notify *x)
{
	free(x->name);
	free_texts(x->events, x->n_events);
	free(x->ca);
	free(x->url);
	free(x->secret_file);
	OPENSSL_cleanse(x->secret, sizeof(x->secret));
	free_texts(x->to, x->n_to);
	free(x->from);
	free(x->subject);
	free(x->line);
	free_texts(x->command, x->n_command);
	free(x->syslog);
	free(x->host);
	free(x->cert);
	free(x->key);
	*x = (struct config_notify){0};
}

static void free_cap(struct config_cap *x)
{
	for (size_t k = 0; k < x->n_areas; k++) {
		struct config_cap_area *a = &x->areas[k];

		free(a->name);
		free_texts(a->geocodes, a->n_geocodes);
		free_texts(a->match, a->n_match);
		free(a->zones);
	}
	free(x->areas);
	free(x->name);
	free(x->folder);
	free(x->url);
	free(x->ca);
	free(x->zones);
	free_texts(x->senders, x->n_senders);
	free_texts(x->status, x->n_status);
	free_texts(x->urgency, x->n_urgency);
	free_texts(x->certainty, x->n_certainty);
	free_texts(x->languages, x->n_languages);
	free(x->message);
	free(x->tone);
	free(x->exercise);
}

static void free_doors(struct config *c)
{
	for (size_t i = 0; i < c->n_webhooks; i++) {
		struct config_webhook *x = &c->webhooks[i];

		free(x->name);
		free(x->secret_file);
		OPENSSL_cleanse(x->secret, sizeof(x->secret));
		free_texts(x->allow, x->n_allow);
		free(x->trigger);
		free(x->zones);
	}
	free(c->webhooks);
	for (size_t i = 0; i < c->n_caps; i++)
		free_cap(&c->caps[i]);
	free(c->caps);
	for (size_t i = 0; i < c->n_notifies; i++)
		config_notify_reset(&c->notifies[i]);
	free(c->notifies);
}

struct config *config_free(struct config *c)
{
	if (!c)
		return NULL;
	free_zones(c);
	free_sources(c);
	for (size_t i = 0; i < c->n_musics; i++)
		config_music_reset(&c->musics[i]);
	free(c->musics);
	free_messages(c);
	free_field(c);
	free_alarms(c);
	free_modes(c);
	free_access(c);
	free_schedules(c);
	free_doors(c);
	free(c->sip.listen);
	free(c->sip.go_ahead);
	free(c->sip.preempted_message);
	free(c->sip.tls_cert);
	free(c->sip.tls_ca);
	free(c->sip.realm);
	free(c->sip.chime);
	for (size_t i = 0; i < c->plc.n_allow; i++)
		free(c->plc.allow[i].name);
	free(c->plc.allow);
	free(c->plc.host);
	free(c->plc.zones);
	free(c->plc.alarms);
	free(c->plc.inputs);
	free(c->plc.trigger);
	free(c->plc.reset);
	for (size_t i = 0; i < c->mqtt.n_brokers; i++)
		free(c->mqtt.broker[i].host);
	free(c->mqtt.discovery_prefix);
	free(c->mqtt.user);
	free(c->mqtt.password_file);
	free(c->mqtt.ca);
	free(c->mqtt.cert);
	free(c->mqtt.key);
	free(c->mqtt.client_id);
	free(c->web.host);
	free(c->web.tls_cert);
	free(c->web.socket);
	free(c->web.group);
	free(c->site);
	free(c->timezone);
	free(c->state_dir);
	free(c->log_level);
	for (size_t i = 0; i < c->n_files; i++)
		free(c->files[i]);
	free(c->files);
	free(c);
	return NULL;
}
