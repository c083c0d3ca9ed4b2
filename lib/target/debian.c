/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A Debian kernel release is four packages of one version: the signed image, its debug twin, the headers and the source.
 * The signed image comes from another source package (linux-signed-amd64, whose version has a '+' where the kernel's has
 * a '-'), so what it was built from is read from Built-Using, not from Source.
 */
#include "lib/target/debian.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/str.h"
#include "lib/target/resolve.h"
#include "lib/target/version.h"

#define OFFERS_SHOWN 12 /* releases or versions named in a message */

/* The names of a release's packages. */
struct names {
	char *image, *debug, *headers, *source;
};

static void names_deinit(struct names *n)
{
	free(n->image);
	free(n->debug);
	free(n->headers);
	free(n->source);
}

static struct rk_err *make_names(const char *release, struct names *ret)
{
	_cleanup_(names_deinit) struct names n = {
		.image = rk_asprintf("linux-image-%s", release),
		.debug = rk_asprintf("linux-image-%s-dbg", release),
		.headers = rk_asprintf("linux-headers-%s", release),
		.source =
			rk_asprintf("linux-source-%.*s", (int)rk_version_series(release), release),
	};

	if (!n.image || !n.debug || !n.headers || !n.source)
		return rk_err_nomem();
	*ret = n;
	n = (struct names){};
	return NULL;
}

/* The version of the kernel source an image was built from, in buf if it had to be cut out. */
static const char *source_version(const struct rk_apt_package *image, char *buf, size_t size)
{
	const char start[] = "linux (= ";
	const char *found = image->built_using ? strstr(image->built_using, start) : NULL;

	if (!found)
		return image->version;
	found += sizeof(start) - 1;
	size_t len = strcspn(found, ")");
	if (len >= size)
		return image->version;
	memcpy(buf, found, len);
	buf[len] = '\0';
	return buf;
}

/* The packages that go with image; false if one that parts needs isn't on offer. */
static bool complete(const struct rk_apt_packages *offers, const struct names *names,
		     const struct rk_apt_package *image, enum rk_target_parts parts,
		     struct rk_debian_packages *ret)
{
	struct rk_debian_packages found = {.image = image};
	char buf[128];

	if (parts & RK_TARGET_BUILD) {
		const char *version = source_version(image, buf, sizeof(buf));

		found.debug = rk_apt_find(offers, names->debug, version);
		found.headers = rk_apt_find(offers, names->headers, version);
		found.source = rk_apt_find(offers, names->source, version);
		if (!found.debug || !found.headers || !found.source)
			return false;
	}
	*ret = found;
	return true;
}

/* The newest version of the image (or the wanted one) that complete() accepts; false if there is none. */
static bool choose(const struct rk_apt_packages *offers, const struct names *names,
		   enum rk_target_parts parts, const char *wanted, struct rk_debian_packages *ret)
{
	const struct rk_apt_package *best = NULL;

	rk_vec_for_each(&offers->list, p) {
		struct rk_debian_packages found;

		if (!rk_streq(p->name, names->image) || (wanted && !rk_streq(p->version, wanted)))
			continue;
		if (best && rk_version_compare(p->version, best->version) <= 0)
			continue;
		if (complete(offers, names, p, parts, &found)) {
			*ret = found;
			best = p;
		}
	}
	return best != NULL;
}

static int newest_first(const void *a, const void *b)
{
	return rk_version_compare(*(const char *const *)b, *(const char *const *)a);
}

/* "6.1.192-2, 6.1.176-1" or "none" */
static struct rk_err *versions_on_offer(const struct rk_apt_packages *offers, const char *name,
					struct rk_str *ret)
{
	const char *versions[OFFERS_SHOWN];
	size_t nr = 0;

	rk_vec_for_each(&offers->list, p) {
		if (rk_streq(p->name, name) && nr < ARRAY_SIZE(versions))
			versions[nr++] = p->version;
	}
	qsort(versions, nr, sizeof(*versions), newest_first);
	for (size_t i = 0; i < nr; i++)
		rk_str_addf(ret, "%s%s", i ? ", " : "", versions[i]);
	if (nr == 0)
		rk_str_add(ret, "none");
	return rk_str_check(ret);
}

static struct rk_err *unknown_release(const char *release, const char *image)
{
	struct rk_target_list available = {};
	_cleanup_str_ struct rk_str text = RK_STR_INIT;
	struct rk_err *err = rk_debian_available(&available);
	size_t shown = 0;

	for (size_t i = available.list.nr; !err && i > 0 && shown < OFFERS_SHOWN; i--, shown++)
		rk_str_addf(&text, "%s%s", text.len ? ", " : "", available.list.v[i - 1].release);
	rk_target_list_deinit(&available);
	if (err)
		return err;
	RK_TRY(rk_str_check(&text));
	if (!text.len)
		return rk_err(
			RK_ERR_NOT_FOUND,
			"apt has no kernel packages on offer; run 'apt-get update' (as root) and look at "
			"apt's sources if that doesn't help");
	return rk_err(
		RK_ERR_NOT_FOUND,
		"apt has no '%s' on offer, so there is no target 'debian:%s'; complete on offer are: %s",
		image, release, rk_str_get(&text));
}

/* Says which package keeps release from being complete. */
static struct rk_err *incomplete(const struct rk_apt_packages *offers, const struct names *names,
				 const char *release, const char *wanted)
{
	const struct rk_apt_package *image = rk_apt_find(offers, names->image, wanted);
	_cleanup_str_ struct rk_str text = RK_STR_INIT;
	char buf[128];

	if (!image && !rk_apt_find(offers, names->image, NULL))
		return unknown_release(release, names->image);
	if (!image) {
		RK_TRY(versions_on_offer(offers, names->image, &text));
		return rk_err(RK_ERR_NOT_FOUND,
			      "apt has no '%s' of version %s on offer (on offer: %s)", names->image,
			      wanted, rk_str_get(&text));
	}

	const char *version = source_version(image, buf, sizeof(buf));
	const char *needed[] = {names->debug, names->headers, names->source};
	for (size_t i = 0; i < ARRAY_SIZE(needed); i++) {
		if (rk_apt_find(offers, needed[i], version))
			continue;
		RK_TRY(versions_on_offer(offers, needed[i], &text));
		return rk_err(
			RK_ERR_NOT_FOUND,
			"apt has no '%s' of version %s on offer, which '%s' was built from (on offer: %s); "
			"a live patch can only be built where image, debug image, headers and source agree",
			needed[i], version, names->image, rk_str_get(&text));
	}
	return rk_err(RK_ERR_NOT_FOUND, "the packages of '%s' on offer don't agree in version",
		      release);
}

bool rk_debian_is_realtime(const char *release)
{
	return strstr(release, "-rt-") != NULL;
}

struct rk_err *rk_debian_choose(const char *release, enum rk_target_parts parts,
				const char *wanted_version, struct rk_apt_packages *offers,
				struct rk_debian_packages *ret)
{
	_cleanup_(names_deinit) struct names names = {};

	RK_TRY(make_names(release, &names));
	const char *asked[] = {names.image, names.debug, names.headers, names.source};
	RK_TRY(rk_apt_show(asked, ARRAY_SIZE(asked), offers));
	if (choose(offers, &names, parts, wanted_version, ret))
		return NULL;
	return incomplete(offers, &names, release, wanted_version);
}

/* "linux-image-6.1.0-47-cloud-amd64-dbg" → the release; false for metapackages ("linux-image-amd64-dbg"),
 * names without debug image, and what can't be built from linux-source. */
static bool release_of(const char *name, char *buf, size_t size)
{
	const char *start = name + strlen("linux-image-");
	size_t len = strlen(start);

	if (!rk_has_suffix(name, "-dbg") || len <= 4 || len - 4 >= size)
		return false;
	len -= 4;
	memcpy(buf, start, len);
	buf[len] = '\0';
	/* A release counts its ABI after two numbers and more: "6.1.0-…", "6.12.107+…"; a series doesn't. */
	size_t series = rk_version_series(buf);
	return rk_release_is_valid(buf) && series > 0 && buf[series] == '.' &&
	       !rk_debian_is_realtime(buf);
}

static struct rk_err *add_available(const struct rk_apt_packages *offers, const char *release,
				    struct rk_target_list *to)
{
	_cleanup_(names_deinit) struct names names = {};
	struct rk_debian_packages packages;
	char buf[128];

	RK_TRY(make_names(release, &names));
	if (!choose(offers, &names, RK_TARGET_ALL, NULL, &packages))
		return NULL;
	struct rk_target_entry entry = {
		.id = rk_arena_printf(&to->arena, RK_DEBIAN_PREFIX "%s", release),
		.release = rk_arena_strdup(&to->arena, release),
		.source_version = rk_arena_strdup(&to->arena,
						  source_version(packages.image, buf, sizeof(buf))),
		.available = true,
	};
	if (!entry.id || !entry.release || !entry.source_version || !rk_vec_push(&to->list, entry))
		return rk_err_nomem();
	return NULL;
}

/* What a list of releases is asked from apt with. */
struct query {
	struct rk_arena arena;
	rk_vec(const char *) releases;
	rk_vec(const char *) names;
};

static void query_deinit(struct query *q)
{
	rk_vec_deinit(&q->releases);
	rk_vec_deinit(&q->names);
	rk_arena_deinit(&q->arena);
}

static struct rk_err *add_release(struct query *q, const char *release)
{
	const char *copy = rk_arena_strdup(&q->arena, release);
	const char *names[] = {
		rk_arena_printf(&q->arena, "linux-image-%s", release),
		rk_arena_printf(&q->arena, "linux-image-%s-dbg", release),
		rk_arena_printf(&q->arena, "linux-headers-%s", release),
		rk_arena_printf(&q->arena, "linux-source-%.*s", (int)rk_version_series(release),
				release),
	};

	if (!copy || !rk_vec_push(&q->releases, copy))
		return rk_err_nomem();
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (!names[i] || !rk_vec_push(&q->names, names[i]))
			return rk_err_nomem();
	}
	return NULL;
}

struct rk_err *rk_debian_available(struct rk_target_list *ret)
{
	_cleanup_apt_names_ struct rk_apt_names names = {};
	_cleanup_apt_packages_ struct rk_apt_packages offers = {};
	_cleanup_(query_deinit) struct query query = {};
	char release[128];

	RK_TRY(rk_apt_names("linux-image-", &names));
	rk_vec_for_each(&names.list, name) {
		if (release_of(*name, release, sizeof(release)))
			RK_TRY(add_release(&query, release));
	}
	if (query.names.nr == 0)
		return NULL;
	RK_TRY(rk_apt_show(query.names.v, query.names.nr, &offers));
	rk_vec_for_each(&query.releases, r)
		RK_TRY(add_available(&offers, *r, ret));
	rk_target_list_sort(ret);
	return NULL;
}
