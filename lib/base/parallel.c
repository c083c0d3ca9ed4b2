/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Each thread takes the next piece until none is left. */
#include "lib/base/parallel.h"

#include <pthread.h>
#include <stdatomic.h>

#include "lib/base/process.h"

#define THREADS_MAX 32

struct work {
	size_t nr;
	struct rk_err *(*fn)(void *ctx, size_t i);
	void *ctx;
	atomic_size_t next;
	atomic_bool stop;
};

static void *run(void *arg)
{
	struct work *work = arg;
	size_t i;

	while (!atomic_load(&work->stop) && (i = atomic_fetch_add(&work->next, 1)) < work->nr) {
		struct rk_err *err = rk_is_interrupted() ? rk_err(RK_ERR_INTERRUPTED, "interrupted")
							 : work->fn(work->ctx, i);

		if (err) {
			atomic_store(&work->stop, true);
			return err;
		}
	}
	return NULL;
}

struct rk_err *rk_parallel(size_t nr, unsigned int threads,
			   struct rk_err *(*fn)(void *ctx, size_t i), void *ctx)
{
	struct work work = {.nr = nr, .fn = fn, .ctx = ctx};
	pthread_t others[THREADS_MAX];
	size_t started = 0;

	if (threads > THREADS_MAX)
		threads = THREADS_MAX;
	while (started < threads && started + 1 < nr &&
	       pthread_create(&others[started], NULL, run, &work) == 0)
		started++;
	struct rk_err *err = run(&work);
	for (size_t i = 0; i < started; i++) {
		void *result;

		pthread_join(others[i], &result);
		if (err)
			rk_err_free(result);
		else
			err = result;
	}
	return err;
}
