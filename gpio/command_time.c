#include "command.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

struct text {
	const char *p;
	size_t left;
	bool bad;
};

static char take(struct text *t)
{
	if (!t->left) {
		t->bad = true;
		return '\0';
	}
	t->left--;
	return *t->p++;
}

static void expect(struct text *t, const char *one_of)
{
	char c = take(t);

	if (!c || !strchr(one_of, c))
		t->bad = true;
}

/* n digits, not above max. */
static int digits(struct text *t, int n, int min, int max)
{
	int x = 0;

	while (n--) {
		char c = take(t);

		if (!isdigit((unsigned char)c)) {
			t->bad = true;
			return min;
		}
		x = x * 10 + c - '0';
	}
	if (x < min || x > max)
		t->bad = true;
	return x;
}

static int fraction_us(struct text *t)
{
	int us = 0, scale = 100000;

	if (!t->left || *t->p != '.')
		return 0;
	take(t);
	if (!t->left || !isdigit((unsigned char)*t->p))
		t->bad = true;
	while (t->left && isdigit((unsigned char)*t->p)) {
		us += (take(t) - '0') * scale;
		scale /= 10;
	}
	return us;
}

/* Minutes east of Greenwich. */
static int offset_min(struct text *t)
{
	char sign = take(t);
	int h, m;

	if (sign == 'Z' || sign == 'z')
		return 0;
	if (sign != '+' && sign != '-')
		t->bad = true;
	h = digits(t, 2, 0, 23);
	expect(t, ":");
	m = digits(t, 2, 0, 59);
	return sign == '-' ? -(h * 60 + m) : h * 60 + m;
}

static bool is_leap(int y)
{
	return (y % 4 == 0 && y % 100) || y % 400 == 0;
}

static int64_t days_before_year(int y)
{
	y--;
	return INT64_C(365) * y + y / 4 - y / 100 + y / 400;
}

static int64_t days_since_1970(int y, int m, int d)
{
	static const int before[] = {0,   31,  59,  90,  120, 151,
				     181, 212, 243, 273, 304, 334};

	return days_before_year(y) - days_before_year(1970) + before[m - 1] +
	       (m > 2 && is_leap(y)) + d - 1;
}

static int month_days(int y, int m)
{
	if (m == 2)
		return is_leap(y) ? 29 : 28;
	return m == 4 || m == 6 || m == 9 || m == 11 ? 30 : 31;
}

int command_time(const char *text, size_t len, int64_t *wall_us)
{
	struct text t = {text, len, false};
	int y, mon, d, h, min, s, us, off;

	y = digits(&t, 4, 1, 9999);
	expect(&t, "-");
	mon = digits(&t, 2, 1, 12);
	if (t.bad)
		return EINVAL;
	expect(&t, "-");
	d = digits(&t, 2, 1, month_days(y, mon));
	expect(&t, "Tt ");
	h = digits(&t, 2, 0, 23);
	expect(&t, ":");
	min = digits(&t, 2, 0, 59);
	expect(&t, ":");
	s = digits(&t, 2, 0, 60);
	us = fraction_us(&t);
	off = offset_min(&t);
	if (t.bad || t.left)
		return EINVAL;
	*wall_us = ((((days_since_1970(y, mon, d) * 24 + h) * 60 + min - off) *
		     60) +
		    s) * 1000000 +
		   us;
	return 0;
}
