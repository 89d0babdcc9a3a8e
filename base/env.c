/* SPDX-License-Identifier: Apache-2.0 */
/* Clocks, randomness and the text form of time. The calendar is computed here and not by gmtime:
 * that one counts leap seconds if the TZ variable asks for them, and a stored time must not depend
 * on the environment. */
#include "base/env.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MS_PER_SECOND 1000
#define MS_PER_MINUTE 60000
#define MS_PER_HOUR 3600000
#define MS_PER_DAY 86400000
#define DAYS_PER_ERA 146097                    /* 400 years, after which the calendar repeats */
#define TIME_MIN_MS (-INT64_C(62167219200000)) /* 0000-01-01T00:00:00.000Z */
#define TIME_MAX_MS INT64_C(253402300799999)   /* 9999-12-31T23:59:59.999Z */

static int64_t real_now_ms(void *data)
{
	struct timespec t;

	(void)data;
	(void)clock_gettime(CLOCK_REALTIME, &t); /* cannot fail for this clock */
	return (int64_t)t.tv_sec * MS_PER_SECOND + t.tv_nsec / 1000000;
}

static int64_t real_mono_us(void *data)
{
	struct timespec t;

	(void)data;
	(void)clock_gettime(CLOCK_MONOTONIC, &t); /* cannot fail for this clock */
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void real_random(void *data, void *out, size_t n)
{
	(void)data;
	randombytes_buf(out, n);
}

struct env env_real(void)
{
	if (sodium_init() < 0)
		abort(); /* no source of randomness: no key may be made */
	return (struct env){
		.now_ms = real_now_ms,
		.mono_us = real_mono_us,
		.random = real_random,
	};
}

static int64_t fixed_now_ms(void *data)
{
	const struct env_fixed *state = data;

	return state->now_ms;
}

static int64_t fixed_mono_us(void *data)
{
	return fixed_now_ms(data) * 1000;
}

/* SplitMix64: a counter and a mixing of its bits. */
static uint64_t next_word(struct env_fixed *state)
{
	uint64_t z = (state->counter += UINT64_C(0x9E3779B97F4A7C15));

	z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
	return z ^ (z >> 31);
}

static void fixed_random(void *data, void *out, size_t n)
{
	struct env_fixed *state = data;
	unsigned char *to = out;
	uint64_t word = 0;

	for (size_t i = 0; i < n; i++) {
		if (i % 8 == 0)
			word = next_word(state);
		/* Shifted out and not copied, so that the bytes do not depend on the machine. */
		to[i] = (unsigned char)(word >> (8 * (i % 8)));
	}
}

struct env env_fixed(struct env_fixed *state)
{
	return (struct env){
		.now_ms = fixed_now_ms,
		.mono_us = fixed_mono_us,
		.random = fixed_random,
		.data = state,
	};
}

int64_t env_now_ms(const struct env *env)
{
	return env->now_ms(env->data);
}

int64_t env_mono_us(const struct env *env)
{
	return env->mono_us(env->data);
}

void env_random(const struct env *env, void *out, size_t n)
{
	env->random(env->data, out, n);
}

struct date {
	int year;
	int month; /* 1 to 12 */
	int day;   /* 1 to 31 */
};

/* Both ways count years from March, so that the leap day is the last of its year, and the days
 * before a month follow one line: (153 * months since March + 2) / 5. */
static int64_t days_of_date(struct date d)
{
	int64_t year = d.month <= 2 ? d.year - 1 : d.year;
	int64_t month = d.month <= 2 ? d.month + 9 : d.month - 3;
	int64_t era = (year >= 0 ? year : year - 399) / 400;
	int64_t year_of_era = year - era * 400;
	int64_t day_of_year = (153 * month + 2) / 5 + d.day - 1;
	int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

	return era * DAYS_PER_ERA + day_of_era - 719468; /* days from 0000-03-01 to 1970-01-01 */
}

static struct date date_of_days(int64_t days)
{
	days += 719468;
	int64_t era = (days >= 0 ? days : days - (DAYS_PER_ERA - 1)) / DAYS_PER_ERA;
	int64_t day_of_era = days - era * DAYS_PER_ERA;
	int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 -
	                       day_of_era / (DAYS_PER_ERA - 1)) /
	                      365;
	int64_t day_of_year =
		day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t month = (5 * day_of_year + 2) / 153;
	int64_t year = year_of_era + era * 400;

	return (struct date){
		.year = (int)(month >= 10 ? year + 1 : year),
		.month = (int)(month >= 10 ? month - 9 : month + 3),
		.day = (int)(day_of_year - (153 * month + 2) / 5 + 1),
	};
}

void time_format(int64_t ms, char out[TIME_TEXT_MAX])
{
	/* Four digits of year are all that RFC 3339 has. */
	if (ms < TIME_MIN_MS)
		ms = TIME_MIN_MS;
	if (ms > TIME_MAX_MS)
		ms = TIME_MAX_MS;

	int64_t in_day = (ms % MS_PER_DAY + MS_PER_DAY) % MS_PER_DAY;
	struct date d = date_of_days((ms - in_day) / MS_PER_DAY);
	char text[96]; /* what the compiler thinks that seven numbers may need */
	int len =
		snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", d.year, d.month,
	                 d.day, (int)(in_day / MS_PER_HOUR), (int)(in_day / MS_PER_MINUTE % 60),
	                 (int)(in_day / MS_PER_SECOND % 60), (int)(in_day % MS_PER_SECOND));

	assert(len > 0 && len < TIME_TEXT_MAX);
	memcpy(out, text, (size_t)len + 1);
}

/* Takes `width` digits from the front of `text`; -1 if they are not there. */
static int take_digits(struct str *text, size_t width)
{
	int value = 0;

	if (text->len < width)
		return -1;
	for (size_t i = 0; i < width; i++) {
		if (text->p[i] < '0' || text->p[i] > '9')
			return -1;
		value = value * 10 + (text->p[i] - '0');
	}
	*text = (struct str){ text->p + width, text->len - width };
	return value;
}

static bool take_char(struct str *text, const char *allowed)
{
	if (text->len == 0 || text->p[0] == '\0' || strchr(allowed, text->p[0]) == NULL)
		return false;
	*text = (struct str){ text->p + 1, text->len - 1 };
	return true;
}

/* True if the front of `text` is `width` digits with a value from `low` to `high`. */
static bool take_number(struct str *text, size_t width, int low, int high, int *out)
{
	int value = take_digits(text, width);

	if (value < low || value > high)
		return false;
	*out = value;
	return true;
}

static int days_in_month(int year, int month)
{
	struct date first = { year, month, 1 };
	struct date next = { month == 12 ? year + 1 : year, month == 12 ? 1 : month + 1, 1 };

	return (int)(days_of_date(next) - days_of_date(first));
}

static bool take_date(struct str *text, int64_t *ms)
{
	struct date d;

	if (!take_number(text, 4, 0, 9999, &d.year) || !take_char(text, "-") ||
	    !take_number(text, 2, 1, 12, &d.month) || !take_char(text, "-") ||
	    !take_number(text, 2, 1, days_in_month(d.year, d.month), &d.day))
		return false;
	*ms = days_of_date(d) * MS_PER_DAY;
	return true;
}

/* A leap second is refused: milliseconds since 1970 have no number for it. */
static bool take_clock(struct str *text, int64_t *ms)
{
	int hour;
	int minute;
	int second;

	if (!take_number(text, 2, 0, 23, &hour) || !take_char(text, ":") ||
	    !take_number(text, 2, 0, 59, &minute) || !take_char(text, ":") ||
	    !take_number(text, 2, 0, 59, &second))
		return false;
	*ms = (int64_t)hour * MS_PER_HOUR + (int64_t)minute * MS_PER_MINUTE +
	      (int64_t)second * MS_PER_SECOND;
	return true;
}

/* Any number of digits; those after the third are cut off. */
static bool take_fraction(struct str *text, int64_t *ms)
{
	int64_t value = 0;
	size_t digits = 0;

	if (!take_char(text, "."))
		return true;
	for (int d = take_digits(text, 1); d >= 0; d = take_digits(text, 1), digits++) {
		if (digits < 3)
			value = value * 10 + d;
	}
	if (digits == 0)
		return false;
	for (; digits < 3; digits++)
		value *= 10;
	*ms += value;
	return true;
}

static bool take_offset(struct str *text, int64_t *offset)
{
	int hours;
	int minutes;

	*offset = 0;
	if (take_char(text, "Zz"))
		return true;
	bool west = text->len > 0 && text->p[0] == '-';
	if (!take_char(text, "+-") || !take_number(text, 2, 0, 23, &hours) ||
	    !take_char(text, ":") || !take_number(text, 2, 0, 59, &minutes))
		return false;
	*offset = (int64_t)hours * MS_PER_HOUR + (int64_t)minutes * MS_PER_MINUTE;
	if (west)
		*offset = -*offset;
	return true;
}

bool time_parse(struct str text, int64_t *ms, struct err *err)
{
	struct str rest = text;
	int64_t day;
	int64_t in_day;
	int64_t offset;

	if (!take_date(&rest, &day) || !take_char(&rest, "Tt") || !take_clock(&rest, &in_day) ||
	    !take_fraction(&rest, &in_day) || !take_offset(&rest, &offset) || rest.len > 0)
		return err_set(err, ERR_INVALID_ARGUMENT,
		               "'%.*s' is not a time like 2026-11-22T08:00:00Z", STR_ARG(text));
	int64_t value = day + in_day - offset;
	if (value < TIME_MIN_MS || value > TIME_MAX_MS)
		return err_set(err, ERR_INVALID_ARGUMENT,
		               "'%.*s' is not in the years 0000 to 9999 of UTC", STR_ARG(text));
	*ms = value;
	return true;
}
