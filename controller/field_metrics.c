/* What an input and a bus are worth, for Prometheus. */
#include "field_internal.h"

static void head(FILE *out, const char *name, const char *type,
		 const char *help)
{
	fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void inputs(const struct field *f, FILE *out)
{
	head(out, "tocsin_input_active", "gauge",
	     "1 while an input is active, as last known.");
	for (size_t i = 0; i < f->n_in; i++)
		fprintf(out, "tocsin_input_active{input=\"%s\"} %d\n",
			f->in[i].conf->name, f->in[i].value.active);
	head(out, "tocsin_input_good", "gauge",
	     "1 while the value of an input is good.");
	for (size_t i = 0; i < f->n_in; i++)
		fprintf(out, "tocsin_input_good{input=\"%s\"} %d\n",
			f->in[i].conf->name,
			f->in[i].value.quality == INPUT_GOOD);
	head(out, "tocsin_input_glitches_total", "counter",
	     "Changes of an input that did not stand and were filtered out.");
	for (size_t i = 0; i < f->n_in; i++)
		fprintf(out, "tocsin_input_glitches_total{input=\"%s\"} %u\n",
			f->in[i].conf->name, field_glitches(&f->in[i]));
}

void field_metrics(const struct field *f, FILE *out)
{
	if (f->n_in)
		inputs(f, out);
	field_bus_metrics(f, out);
}
