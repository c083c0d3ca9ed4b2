/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The live line is drawn by a thread of its own: a compiler that runs for a minute reports nothing, and
 * the seconds must go on. The thread is the only one that draws; reports only set what to draw.
 */
#include "tools/common/progress.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include "tools/common/journal.h"
#include "tools/common/render.h"
#include "tools/common/text.h"

#define SHOW_AFTER_MS	 1000 /* what takes less needs no progress */
#define REDRAW_MS	 200
#define LEFT_AFTER_S	 30 /* before, a guess of how long it will take is worth nothing */
#define TEXT_COLUMNS_MIN 12

struct rk_progress {
	struct rk_reporter reporter;
	enum rk_progress_style style;
	bool verbose;

	pthread_t thread; /* RK_PROGRESS_LIVE only */
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool stop;
	bool drawn; /* our line is on the terminal */
	bool paused;
	struct timespec started; /* of the tool */
	struct timespec phase_started;
	struct rk_str phase;
	struct rk_str text;
	uint64_t done, total;
	const char *unit;
};

enum rk_progress_style rk_progress_style(bool quiet)
{
	const char *term = getenv("TERM");

	if (quiet)
		return RK_PROGRESS_SILENT;
	if (!isatty(STDERR_FILENO) || !term || !*term || rk_streq(term, "dumb"))
		return RK_PROGRESS_LINES;
	return RK_PROGRESS_LIVE;
}

/* The first bytes of s that fit into width columns, never half a character (UTF-8). */
static size_t fit(const char *s, size_t width)
{
	size_t len = 0;

	for (; s[len]; len++) {
		bool starts_char = ((unsigned char)s[len] & 0xc0) != 0x80;

		if (starts_char && width-- == 0)
			break;
	}
	return len;
}

static void add_amount(struct rk_str *out, const struct rk_progress_state *st)
{
	char done[RK_SIZE_TEXT], total[RK_SIZE_TEXT];

	if (!st->unit || (!st->done && !st->total))
		return;
	if (!rk_streq(st->unit, "bytes")) {
		if (st->total)
			rk_str_addf(out, "  %llu/%llu %s", (unsigned long long)st->done,
				    (unsigned long long)st->total, st->unit);
		else
			rk_str_addf(out, "  %llu %s", (unsigned long long)st->done, st->unit);
		return;
	}
	rk_str_addf(out, "  %s", rk_render_size(st->done, done));
	if (st->total)
		rk_str_addf(out, " of %s", rk_render_size(st->total, total));
}

/* As if the rest took as long as what is done. */
static void add_time(struct rk_str *out, const struct rk_progress_state *st)
{
	if (st->seconds > 0)
		rk_str_addf(out, "  %u s", st->seconds);
	if (st->seconds < LEFT_AFTER_S || st->done == 0 || st->done >= st->total)
		return;
	uint64_t left = st->seconds * (st->total - st->done) / st->done;
	if (left >= 120)
		rk_str_addf(out, ", about %llu min left", (unsigned long long)left / 60);
	else
		rk_str_addf(out, ", about %llu s left", (unsigned long long)left);
}

/* What came in from outside must not move the cursor. */
static void add_printable(struct rk_str *out, const char *s)
{
	for (; *s; s++)
		rk_str_add_char(out, (unsigned char)*s < 0x20 || *s == 0x7f ? ' ' : *s);
}

void rk_progress_format(struct rk_str *out, const struct rk_progress_state *state, size_t width)
{
	_cleanup_str_ struct rk_str head = RK_STR_INIT;
	_cleanup_str_ struct rk_str tail = RK_STR_INIT;

	rk_str_addf(&head, "%s: ", state->phase);
	add_printable(&head, state->text);
	add_amount(&tail, state);
	add_time(&tail, state);

	/* How far it is outlives the end of the text, until too little of the text would be left. */
	size_t tail_columns = rk_text_columns(rk_str_get(&tail), tail.len);
	if (rk_text_columns(rk_str_get(&head), head.len) + tail_columns > width &&
	    tail_columns + TEXT_COLUMNS_MIN > width) {
		rk_str_clear(&tail);
		tail_columns = 0;
	}
	const char *text = rk_str_get(&head);
	rk_str_add_bytes(out, text, fit(text, width - tail_columns));
	rk_str_add(out, rk_str_get(&tail));
}

static unsigned int ms_since(const struct timespec *start)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (unsigned int)((now.tv_sec - start->tv_sec) * 1000 +
			      (now.tv_nsec - start->tv_nsec) / 1000000);
}

/* With the lock held. */
static void clear_line(struct rk_progress *p)
{
	if (p->drawn)
		fputs("\r\033[K", stderr);
	p->drawn = false;
}

/* With the lock held. */
static void draw(struct rk_progress *p)
{
	_cleanup_str_ struct rk_str line = RK_STR_INIT;

	if (p->paused || !p->phase.len || ms_since(&p->started) < SHOW_AFTER_MS)
		return;
	/* The last column stays free: some terminals wrap when it is written. */
	rk_progress_format(&line,
			   &(struct rk_progress_state){
				   .phase = rk_str_get(&p->phase),
				   .text = rk_str_get(&p->text),
				   .done = p->done,
				   .total = p->total,
				   .unit = p->unit,
				   .seconds = ms_since(&p->phase_started) / 1000,
			   },
			   rk_text_terminal_width(stderr) - 1);
	fprintf(stderr, "\r%s\033[K", rk_str_get(&line));
	p->drawn = true;
}

static void *draw_until_stopped(void *arg)
{
	struct rk_progress *p = arg;

	pthread_mutex_lock(&p->lock);
	while (!p->stop) {
		struct timespec until;

		draw(p);
		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_nsec += REDRAW_MS * 1000000L;
		if (until.tv_nsec >= 1000000000L) {
			until.tv_nsec -= 1000000000L;
			until.tv_sec++;
		}
		pthread_cond_timedwait(&p->wake, &p->lock, &until);
	}
	clear_line(p);
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

static void on_phase(void *ctx, const char *phase, const char *text)
{
	struct rk_progress *p = ctx;

	if (p->style == RK_PROGRESS_LINES) {
		fprintf(stderr, "%s%s: %s\n", rk_journal_prefix(stderr, RK_PRIORITY_INFO), phase,
			text);
		return;
	}
	pthread_mutex_lock(&p->lock);
	rk_str_clear(&p->phase);
	rk_str_add(&p->phase, phase);
	rk_str_clear(&p->text);
	rk_str_add(&p->text, text);
	p->done = p->total = 0;
	p->unit = NULL;
	p->paused = false;
	clock_gettime(CLOCK_MONOTONIC, &p->phase_started);
	pthread_mutex_unlock(&p->lock);
}

static const char *known_unit(const char *unit)
{
	static const char *const units[] = {"bytes", "files", "units", "fixes"};

	/* The caller's string may not outlive the call. */
	for (size_t i = 0; unit && i < ARRAY_SIZE(units); i++) {
		if (rk_streq(unit, units[i]))
			return units[i];
	}
	return NULL;
}

static void on_advance(void *ctx, uint64_t done, uint64_t total, const char *unit)
{
	struct rk_progress *p = ctx;

	if (p->style != RK_PROGRESS_LIVE)
		return;
	pthread_mutex_lock(&p->lock);
	p->done = done;
	p->total = total;
	p->unit = known_unit(unit);
	p->paused = false;
	pthread_mutex_unlock(&p->lock);
}

static void on_note(void *ctx, const char *text)
{
	struct rk_progress *p = ctx;
	/* the journal keeps what people don't want to see now, and may ask for later */
	const char *prefix = rk_journal_prefix(stderr, RK_PRIORITY_DEBUG);

	if (!p->verbose && !*prefix)
		return;
	pthread_mutex_lock(&p->lock);
	clear_line(p);
	fprintf(stderr, "%s%s\n", prefix, text);
	pthread_mutex_unlock(&p->lock);
}

static struct rk_err *start_thread(struct rk_progress *p)
{
	int failed = pthread_create(&p->thread, NULL, draw_until_stopped, p);

	return failed ? rk_err_sys(failed, "cannot start a thread") : NULL;
}

struct rk_err *rk_progress_create(enum rk_progress_style style, bool verbose,
				  struct rk_progress **ret)
{
	struct rk_progress *p = calloc(1, sizeof(*p));
	pthread_condattr_t attr;

	if (!p)
		return rk_err_nomem();
	p->style = style;
	p->verbose = verbose;
	if (style != RK_PROGRESS_SILENT)
		p->reporter = (struct rk_reporter){on_phase, on_advance, on_note, p};
	clock_gettime(CLOCK_MONOTONIC, &p->started);
	pthread_mutex_init(&p->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&p->wake, &attr);
	pthread_condattr_destroy(&attr);

	struct rk_err *err = style == RK_PROGRESS_LIVE ? start_thread(p) : NULL;
	if (err) {
		p->style = RK_PROGRESS_LINES;
		rk_progress_destroy(p);
		return err;
	}
	*ret = p;
	return NULL;
}

void rk_progress_destroy(struct rk_progress *p)
{
	if (!p)
		return;
	if (p->style == RK_PROGRESS_LIVE) {
		pthread_mutex_lock(&p->lock);
		p->stop = true;
		pthread_cond_signal(&p->wake);
		pthread_mutex_unlock(&p->lock);
		pthread_join(p->thread, NULL);
	}
	pthread_cond_destroy(&p->wake);
	pthread_mutex_destroy(&p->lock);
	rk_str_deinit(&p->phase);
	rk_str_deinit(&p->text);
	free(p);
}

const struct rk_reporter *rk_progress_reporter(const struct rk_progress *p)
{
	return &p->reporter;
}

void rk_progress_pause(struct rk_progress *p)
{
	pthread_mutex_lock(&p->lock);
	clear_line(p);
	p->paused = true;
	pthread_mutex_unlock(&p->lock);
}
